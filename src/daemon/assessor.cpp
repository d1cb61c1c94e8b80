// SPDX-License-Identifier: Apache-2.0
#include "daemon/assessor.hpp"

#include "haproxy/agent_reply.hpp"

#include <chrono>
#include <utility>

namespace wcs_node_agent {

void Assessor::configure(const Config& config) {
    count_names_ = config.counts;
    if (policy_settings_.limits != config.limits) policy_.forget_page();
    policy_settings_ = {.limits = config.limits,
                        .recover = config.recover,
                        .stale_after = config.stale_after,
                        .when_stale = config.when_stale,
                        .when_unreadable = config.when_unreadable};
    weight_settings_ = config.weight;
}

Weight Assessor::weigh(const Snapshot& snapshot) {
    const NodeLoad load{.at = snapshot.at,
                        .state = snapshot.verdict.state,
                        .utilisation = utilisations_of(snapshot.verdict),
                        .sessions = session_counts(snapshot.verdict),
                        .connections = connections_of(count_names_.connections, snapshot.wcs,
                                                      policy_settings_.stale_after, snapshot.at),
                        .balancers = snapshot.agent.balancers};
    return weigher_.weigh(weight_settings_, expected_capacity(policy_settings_.limits), load);
}

Snapshot Assessor::assess(Sample sample, const WcsState& wcs, const AgentCounters& agent) {
    Snapshot snapshot;
    snapshot.at = sample.counters.at;
    snapshot.wall = std::chrono::system_clock::now();
    snapshot.started = started_;
    snapshot.source = sample.source;
    snapshot.source_detail = std::move(sample.source_detail);
    snapshot.counters = std::move(sample.counters);
    snapshot.selected_interfaces = std::move(sample.selected_interfaces);
    snapshot.rates = std::move(sample.rates);
    snapshot.peaks = sample.peaks;
    snapshot.receive = std::move(sample.receive);
    snapshot.wcs = wcs;
    snapshot.count_names = count_names_;
    snapshot.stale_after = policy_settings_.stale_after;
    snapshot.verdict = policy_.decide(policy_settings_,
                                      {.rates = snapshot.rates,
                                       .cpu_unknown = snapshot.counters.cpus_unknown,
                                       .bandwidth_unknown = std::move(sample.bandwidth_unknown),
                                       .udp_unknown = snapshot.receive.udp_unknown,
                                       .peaks_unknown = std::move(sample.peaks_unknown),
                                       .peaks = snapshot.peaks,
                                       .link_capacity = sample.link_capacity},
                                      snapshot.wcs, snapshot.at);
    snapshot.agent = agent;
    snapshot.verdict.weight = weigh(snapshot);
    snapshot.agent_reply = agent_reply(snapshot.verdict);
    return snapshot;
}

}  // namespace wcs_node_agent
