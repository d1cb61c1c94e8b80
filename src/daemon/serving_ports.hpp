// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/inherited_ports.hpp"
#include "haproxy/agent_server.hpp"
#include "http/http_server.hpp"
#include "process/notify.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <vector>

namespace wcs_node_agent {

/// The ports of both servers, over restarts too: systemd passes some and keeps the others.
class ServingPorts {
 public:
    ServingPorts(AgentServer& agent, HttpServer& http, SystemdNotifier& notifier,
                 InheritedPorts inherited, const Config& config);

    /// See InheritedPorts::impose(). Before each listen().
    void impose(Config& config) const { inherited_.impose(config); }

    /// Opens both servers' ports, or neither's.
    Result<void> listen(const Config& config);

    /// Those of the last configuration, in its order.
    const std::vector<ProfilePorts>& profiles() const { return profiles_; }

 private:
    std::vector<ProfilePorts> ports_of(const std::vector<Profile>& profiles);
    Result<void> open(const Config& config, const std::vector<ProfilePorts>& profiles);
    void keep();

    AgentServer& agent_;
    HttpServer& http_;
    SystemdNotifier& notifier_;
    InheritedPorts inherited_;
    std::vector<tcp::endpoint> of_node_;  // that HAProxy is answered on
    std::vector<ProfilePorts> profiles_;
};

}  // namespace wcs_node_agent
