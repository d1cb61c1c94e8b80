// SPDX-License-Identifier: Apache-2.0
#include "daemon/answer_history.hpp"

#include "haproxy/agent_reply.hpp"
#include "load/weight_text.hpp"

#include <algorithm>
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

void AnswerHistory::begin(Answer& answer, const Snapshot& node) {
    answer.starting = !replying_ && !is_first_reply_due(answer, node);
    sampled_ = answer.verdict;
}

void AnswerHistory::age(Answer& answer, std::chrono::nanoseconds age) const {
    answer.verdict = aged(sampled_, age, freshness_);
    answer.agent_reply = agent_reply(answer.verdict);
}

/// The first reply waits for a second reading, as one gives no rates, and for an answer of WCS:
/// its counts are as good as lost only after the time for which they would hold.
bool AnswerHistory::is_first_reply_due(const Answer& answer, const Snapshot& node) const {
    const auto timeout = std::min(freshness_.stale_after, longest_start);
    const auto needs_wcs = [](const LimitReading& reading) {
        return is_of_wcs(reading.held) && reading.maximum;
    };
    const bool answered = node.wcs.asked && !node.wcs.silent;
    const bool wcs_known = answered || node.at - node.started >= timeout ||
                           std::ranges::none_of(answer.verdict.readings, needs_wcs);
    const auto& rates = node.rates;
    const bool cpu_known = rates.cpu_utilisation || rates.so_far.cpu_utilisation ||
                           !node.counters.cpus_unknown.empty();
    return cpu_known && wcs_known;
}

bool AnswerHistory::complete(Answer& answer, const Answer* before) {
    if (answer.starting) return false;
    auto& verdict = answer.verdict;
    const bool first = !std::exchange(replying_, true);
    const bool changed = first || before->verdict.state != verdict.state;
    if (changed)
        verdict.changed = {.at = Clock::now(),
                           .wall = std::chrono::system_clock::now(),
                           .reason = why(first ? nullptr : &before->verdict, verdict)};
    else
        verdict.changed = before->verdict.changed;
    if (changed) report_transition(verdict);
    if (!first) report_unknown(before->verdict, verdict);
    return changed;
}

/// What was unknown from the start on is in the log of who looked for it.
void AnswerHistory::report_unknown(const Verdict& before, const Verdict& now) const {
    for (const auto& reading : now.readings) {
        const auto last = std::ranges::find(before.readings, reading.name, &LimitReading::name);
        const bool was_known = last == before.readings.end() || last->unknown.empty();
        if (was_known && !reading.unknown.empty())
            spdlog::warn("{}limit {} is unknown: {}", place_, reading.name, reading.unknown);
        else if (!was_known && reading.unknown.empty())
            spdlog::info("{}limit {} is known again", place_, reading.name);
    }
}

void AnswerHistory::report_transition(const Verdict& verdict) const {
    if (verdict.state == NodeState::up)
        spdlog::info("{} is up, weight {}% ({}): {}", subject_, verdict.weight.percent,
                     weight_text(verdict.weight), verdict.changed->reason);
    else
        spdlog::warn("{} is {}: {}", subject_, to_string(verdict.state), verdict.reason);
}

}  // namespace wcs_node_agent
