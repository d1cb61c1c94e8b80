// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/listener.hpp"
#include "process/passed_sockets.hpp"

#include <wcs_node_agent/config.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// By this name systemd keeps the ports of this service over a restart.
inline constexpr std::string_view kept_port_name = "kept-port";

/// Listening sockets that systemd passed. Those of a socket unit have the name of a setting
/// (FileDescriptorName=agent_listen), and hold in place of its addresses; those that the run before
/// gave it to keep are gone on with where the configuration still has them.
class InheritedPorts {
 public:
    InheritedPorts() = default;

    /// Logs what is passed. What is no port of a service is logged too, and closed.
    explicit InheritedPorts(std::vector<PassedDescriptor> passed);

    /// Gives settings that socket units pass the addresses of these, and logs where that is a
    /// difference. Sockets that fit no setting are logged.
    void impose(Config& config) const;

    /// Lets the two listeners have the sockets of the settings of such a configuration, and the
    /// first time all that were kept.
    void hand_over(const Config& config, Listener& agent, Listener& http);

    /// Whether a socket unit has it, so that systemd keeps it anyway.
    bool is_of_unit(const tcp::endpoint& at) const;

 private:
    struct Port {
        Descriptor socket;
        TcpListener listener;
        std::string setting;
    };

    std::vector<tcp::endpoint> of(std::string_view setting) const;
    std::vector<tcp::endpoint> covered_by(std::string_view setting) const;

    std::vector<Port> of_units_;  // for as long as this runs: a setting may come back by a reload
    std::vector<Port> kept_;      // until they are handed over
};

}  // namespace wcs_node_agent
