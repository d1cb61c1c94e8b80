// SPDX-License-Identifier: Apache-2.0
#include "haproxy/agent_server.hpp"

#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {

AgentServer::AgentServer(const asio::any_io_executor& executor, AgentCounters& counters)
    : executor_(executor),
      counters_(counters),
      listener_(executor, "agent_listen", "allow", most_open, counters,
                [this](Connection connection) { node_->respond(std::move(connection)); }),
      closing_(executor),
      node_(std::make_shared<CheckResponder>(executor, closing_, counters, told_)) {}

std::shared_ptr<CheckResponder> AgentServer::make_responder(const std::string& profile) {
    auto made = std::make_shared<CheckResponder>(executor_, closing_, counters_, told_, profile);
    std::erase_if(of_profiles_, [](const auto& one) { return one.expired(); });
    of_profiles_.push_back(made);
    return made;
}

Result<void> AgentServer::listen(std::span<const tcp::endpoint> of_node,
                                 std::span<const ProfilePorts> of_profiles) {
    std::vector<Listener::ListenAt> all;
    for (const auto& endpoint : of_node) all.push_back({.endpoint = endpoint});
    for (const auto& [name, endpoints, responder] : of_profiles)
        for (const auto& endpoint : endpoints)
            all.push_back({.endpoint = endpoint,
                           .on_connection =
                               [one = responder](Connection connection) {
                                   one->respond(std::move(connection));
                               },
                           .setting = fmt::format("profiles.{}.agent_listen", name)});
    return listener_.listen(all);
}

std::size_t AgentServer::silent_balancers(Clock::time_point since, Clock::time_point now) const {
    std::size_t silent = node_->silent_balancers(since, now);
    for (const auto& one : of_profiles_)
        if (const auto responder = one.lock()) silent += responder->silent_balancers(since, now);
    return silent;
}

/// The tasks of those who wait may hold them until the executor ends, and the slots of what waits
/// are this one's.
void AgentServer::stop_responders() {
    node_->stop();
    for (const auto& one : of_profiles_)
        if (const auto responder = one.lock()) responder->stop();
}

void AgentServer::stop() {
    listener_.stop();
    stop_responders();
    closing_.finish();
}

}  // namespace wcs_node_agent
