// SPDX-License-Identifier: Apache-2.0
#include "daemon/publisher.hpp"

#include "haproxy/agent_reply.hpp"
#include "load/weight_text.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

/// A node that has just started is not kept waiting for WCS longer than this, whatever stale_after:
/// service managers give up, and so do the connections that wait.
constexpr std::chrono::nanoseconds longest_start = std::chrono::seconds(20);

/// What made the state change. A node that is up again says what had kept it out.
std::string why(const Verdict* before, const Verdict& now) {
    if (now.state != NodeState::up) return now.reason;
    if (!before) return "the agent has started";
    return fmt::format("no longer {}: {}", to_string(before->state), before->reason);
}

}  // namespace

void Publisher::configure(const Freshness& freshness) {
    freshness_ = freshness;
    snapshots_.set_valid_for(freshness.fresh_for);
}

void Publisher::publish(Snapshot sampled) {
    sampled.starting = !replying_ && !is_first_reply_due(sampled);
    last_verdict_ = sampled.verdict;
    replace(std::move(sampled));
}

void Publisher::publish_aged(const AgentCounters& agent, Clock::time_point now) {
    const auto last = snapshots_.get();
    if (!last) return;
    Snapshot snapshot = *last;
    snapshot.verdict = aged(last_verdict_, now - last->at, freshness_);
    snapshot.agent = agent;
    snapshot.agent_reply = agent_reply(snapshot.verdict);
    replace(std::move(snapshot));
}

/// The first reply waits for a second reading, as one gives no rates, and for an answer of WCS:
/// its counts are as good as lost only after the time for which they would hold.
bool Publisher::is_first_reply_due(const Snapshot& sampled) const {
    const auto timeout = std::min(freshness_.stale_after, longest_start);
    const auto needs_wcs = [](const LimitReading& reading) {
        return is_of_wcs(reading.held) && reading.maximum;
    };
    const bool answered = sampled.wcs.asked && !sampled.wcs.silent;
    const bool wcs_known = answered || sampled.at - sampled.started >= timeout ||
                           std::ranges::none_of(sampled.verdict.readings, needs_wcs);
    const auto& rates = sampled.rates;
    const bool cpu_known = rates.cpu_utilisation || rates.so_far.cpu_utilisation ||
                           !sampled.counters.cpus_unknown.empty();
    return cpu_known && wcs_known;
}

void Publisher::replace(Snapshot next) {
    const auto before = snapshots_.get();
    const bool first = !next.starting && !std::exchange(replying_, !next.starting);
    const bool changed = !next.starting && (first || before->verdict.state != next.verdict.state);
    if (changed)
        next.verdict.changed = {.at = Clock::now(),
                                .wall = std::chrono::system_clock::now(),
                                .reason = why(first ? nullptr : &before->verdict, next.verdict)};
    else if (!next.starting)
        next.verdict.changed = before->verdict.changed;
    if (changed) report_transition(next.verdict);
    if (!next.starting && !first) report_unknown(before->verdict, next.verdict);
    snapshots_.publish(std::make_shared<const Snapshot>(std::move(next)));
    if (first) notifier_.ready();
}

/// What was unknown from the start on is in the log of who looked for it.
void Publisher::report_unknown(const Verdict& before, const Verdict& now) {
    for (const auto& reading : now.readings) {
        const auto last = std::ranges::find(before.readings, reading.name, &LimitReading::name);
        const bool was_known = last == before.readings.end() || last->unknown.empty();
        if (was_known && !reading.unknown.empty())
            spdlog::warn("limit {} is unknown: {}", reading.name, reading.unknown);
        else if (!was_known && reading.unknown.empty())
            spdlog::info("limit {} is known again", reading.name);
    }
}

void Publisher::report_transition(const Verdict& verdict) {
    if (verdict.state == NodeState::up)
        spdlog::info("node is up, weight {}% ({}): {}", verdict.weight.percent,
                     weight_text(verdict.weight), verdict.changed->reason);
    else
        spdlog::warn("node is {}: {}", to_string(verdict.state), verdict.reason);
    notifier_.status(fmt::format("{} {}", to_string(verdict.state), verdict.reason));
}

}  // namespace wcs_node_agent
