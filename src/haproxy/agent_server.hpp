// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "haproxy/check_responder.hpp"
#include "net/lingering_close.hpp"
#include "net/listener.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace wcs_node_agent {

/// The endpoints of one profile, and who answers there.
struct ProfilePorts {
    std::string name;
    std::vector<tcp::endpoint> endpoints;
    std::shared_ptr<CheckResponder> responder;
};

/// HAProxy's agent checks: one listener for the endpoints of the node and of all profiles, so that
/// they share the slots for connections, and one of them may move to another at a reload. Must
/// outlive the running of its executor.
class AgentServer {
 public:
    /// 256 from one source: a balancer checks once for each of its server lines.
    static constexpr OpenConnections::Limits most_open{.in_all = 768, .per_source = 256};

    AgentServer(const asio::any_io_executor& executor, AgentCounters& counters);
    AgentServer(const AgentServer&) = delete;
    AgentServer& operator=(const AgentServer&) = delete;
    ~AgentServer() { stop_responders(); }

    /// As Listener's: all of the endpoints from now on, or an error and no change.
    Result<void> listen(std::span<const tcp::endpoint> of_node,
                        std::span<const ProfilePorts> of_profiles = {});

    /// Who answers at the node's own endpoints.
    CheckResponder& node() { return *node_; }

    /// For a profile.
    std::shared_ptr<CheckResponder> make_responder(const std::string& profile);

    /// Who heard the operator's drain or maint, at any of the endpoints.
    ToldBalancers& told() { return told_; }

    /// Balancers that have not asked since then, and are still expected to, by each answer.
    std::size_t silent_balancers(Clock::time_point since, Clock::time_point now) const;

    Listener& listener() { return listener_; }
    void allow(AllowList allowed) { listener_.allow(std::move(allowed)); }
    void give_to(uid_t user, gid_t group) { listener_.give_to(user, group); }
    void limit(OpenConnections::Limits limits) { listener_.limit(limits); }

    std::vector<tcp::endpoint> endpoints() const { return listener_.endpoints(); }

    /// Takes a connection that is there already, as if it had been accepted at the node's own.
    void take(Connection connection) { listener_.take(std::move(connection)); }

    /// Closes the endpoints and all connections.
    void stop();

 private:
    void stop_responders();

    asio::any_io_executor executor_;
    AgentCounters& counters_;
    Listener listener_;
    LingeringClose closing_;
    ToldBalancers told_;
    std::shared_ptr<CheckResponder> node_;
    std::vector<std::weak_ptr<CheckResponder>> of_profiles_;
};

}  // namespace wcs_node_agent
