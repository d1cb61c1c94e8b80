// SPDX-License-Identifier: Apache-2.0
#include "daemon/serving_ports.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

namespace wcs_node_agent {

ServingPorts::ServingPorts(AgentServer& agent, HttpServer& http, SystemdNotifier& notifier,
                           InheritedPorts inherited, const Config& config)
    : agent_(agent), http_(http), notifier_(notifier), inherited_(std::move(inherited)) {
    agent_.listener().exchange_ports_with(http_.listener());
    http_.listener().exchange_ports_with(agent_.listener());
    profiles_ = ports_of(config.profiles);
}

/// A profile that keeps its name keeps who answers for it.
std::vector<ProfilePorts> ServingPorts::ports_of(const std::vector<Profile>& profiles) {
    std::vector<ProfilePorts> ports;
    for (const auto& profile : profiles) {
        const auto known = std::ranges::find(profiles_, profile.name, &ProfilePorts::name);
        const bool is_new = known == profiles_.end();
        ports.push_back({profile.name, profile.agent_listen,
                         is_new ? agent_.make_responder(profile.name) : known->responder});
    }
    return ports;
}

Result<void> ServingPorts::listen(const Config& config) {
    inherited_.hand_over(config, agent_.listener(), http_.listener());
    auto next = ports_of(config.profiles);
    const bool is_first = of_node_.empty();
    if (auto done = open(config, next); !done) {
        // A port that is kept may be what stands in the way of the next start.
        if (is_first) notifier_.keep(kept_port_name, {});
        return done;
    }
    of_node_ = config.agent_listen;
    profiles_ = std::move(next);
    keep();
    return {};
}

Result<void> ServingPorts::open(const Config& config, const std::vector<ProfilePorts>& profiles) {
    if (auto done = agent_.listen(config.agent_listen, profiles); !done) return done;
    auto done = http_.listen(config.metrics_listen);
    if (done || of_node_.empty()) return done;
    if (auto undone = agent_.listen(of_node_, profiles_); !undone)
        spdlog::error(undone.error().what);
    return done;
}

/// Who connects while the next process takes over waits in the queue of a port that is kept.
void ServingPorts::keep() {
    std::vector<int> kept;
    for (const auto* listener : {&agent_.listener(), &http_.listener()})
        for (const auto& [at, socket] : listener->open_ports())
            if (!inherited_.is_of_unit(at)) kept.push_back(socket);
    notifier_.keep(kept_port_name, kept);
}

}  // namespace wcs_node_agent
