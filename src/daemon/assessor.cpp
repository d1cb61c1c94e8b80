// SPDX-License-Identifier: Apache-2.0
#include "daemon/assessor.hpp"

#include "haproxy/agent_reply.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace wcs_node_agent {

void Assessor::configure(const Config& config) {
    count_names_ = config.counts;
    stale_after_ = config.stale_after;
    node_.configure(config);
    std::vector<JudgedProfile> next;
    for (const auto& profile : config.profiles) {
        const auto known = std::ranges::find(profiles_, profile.name, &JudgedProfile::name);
        if (known == profiles_.end())
            next.push_back({profile.name, AnswerJudge(profile)});
        else
            next.push_back(std::move(*known));
        next.back().judge.configure(profile);
    }
    profiles_ = std::move(next);
}

Snapshot Assessor::assess(Sample sample, const WcsState& wcs, const AgentCounters& agent,
                          std::span<const CheckCounters> of_profiles) {
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
    snapshot.process = sample.process;
    snapshot.wcs = wcs;
    snapshot.count_names = count_names_;
    snapshot.stale_after = stale_after_;
    snapshot.agent = agent;
    const Measured measured{.rates = snapshot.rates,
                            .cpu_unknown = snapshot.counters.cpus_unknown,
                            .bandwidth_unknown = std::move(sample.bandwidth_unknown),
                            .udp_unknown = snapshot.receive.udp_unknown,
                            .peaks_unknown = std::move(sample.peaks_unknown),
                            .peaks = snapshot.peaks,
                            .link_capacity = sample.link_capacity};
    snapshot.verdict = node_.judge(snapshot, measured, agent.balancers, is_out_);
    snapshot.agent_reply = agent_reply(snapshot.verdict);
    snapshot.profiles.resize(profiles_.size());
    for (std::size_t i = 0; i < profiles_.size(); ++i) {
        auto& answer = snapshot.profiles[i];
        answer.name = profiles_[i].name;
        if (i < of_profiles.size()) answer.checks = of_profiles[i];
        answer.verdict =
            profiles_[i].judge.judge(snapshot, measured, answer.checks.balancers, is_out_);
        answer.agent_reply = agent_reply(answer.verdict);
    }
    return snapshot;
}

}  // namespace wcs_node_agent
