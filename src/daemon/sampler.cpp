// SPDX-License-Identifier: Apache-2.0
#include "daemon/sampler.hpp"

#include "load/selection.hpp"

#include <algorithm>
#include <utility>

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

Sampler::Sampler(OpenedProbe probe, LinkMonitor links, const Config& config)
    : probe_(std::move(probe)), links_(std::move(links)), window_(config.window) {
    configure(config);
}

void Sampler::configure(const Config& config) {
    window_.set_window(config.window);
    count_names_ = config.counts;
    policy_settings_ = {.limits = config.limits,
                        .recover = config.recover,
                        .stale_after = config.stale_after,
                        .when_stale = config.when_stale};
    globs_ = config.interfaces;
    choose();
}

Result<void> Sampler::refresh_links() {
    auto listed = links_.list();
    if (!listed) return listed.error();
    known_links_ = std::move(listed).value();
    choose();
    chosen_waiting_ = probe_.probe->follow(known_links_, chosen_);
    return {};
}

void Sampler::follow_chosen() {
    for (; chosen_waiting_ > 0; --chosen_waiting_) follow_next();
}

void Sampler::choose() {
    if (known_links_.empty()) return;  // not listed yet
    auto now = choose_interfaces(known_links_, globs_);
    if (std::exchange(has_chosen_, true) && now == chosen_) return;  // told already
    chosen_ = std::move(now);
    if (chosen_.empty())
        spdlog::warn(
            "no interface to hold the bandwidth limits against: there is no default route and no "
            "physical interface, or none matches; name one with --interface");
    else
        spdlog::info("bandwidth limits see {}", fmt::join(chosen_names(), ", "));
}

std::vector<std::string> Sampler::chosen_names() const {
    std::vector<std::string> names;
    for (const auto& link : known_links_)
        if (std::ranges::binary_search(chosen_, link.index)) names.push_back(link.name);
    return names;
}

Result<Snapshot> Sampler::sample(const WcsState& wcs, const AgentCounters& agent) {
    auto counters = probe_.probe->read();
    if (!counters) return counters.error();
    window_.add(*counters, chosen_);

    Snapshot snapshot;
    snapshot.at = counters->at;
    snapshot.wall = std::chrono::system_clock::now();
    snapshot.started = started_;
    snapshot.source = probe_.probe->source();
    snapshot.source_detail = probe_.detail;
    snapshot.counters = std::move(counters).value();
    snapshot.chosen_interfaces = chosen_names();
    snapshot.rates = window_.rates();
    snapshot.wcs = wcs;
    snapshot.count_names = count_names_;
    snapshot.stale_after = policy_settings_.stale_after;
    snapshot.verdict = policy_.decide(policy_settings_, snapshot.rates, wcs, snapshot.at);
    snapshot.agent = agent;
    return snapshot;
}

}  // namespace wcs_node_agent
