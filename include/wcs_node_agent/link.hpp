// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace wcs_node_agent {

/// A network interface of the agent's own namespace, as RTNETLINK tells it.
struct Link {
    std::uint32_t index = 0;
    std::string name;
    std::uint16_t hardware_type = 0;  // ARPHRD_*
    bool loopback = false;
    bool physical = false;       // has a device below it: no software kind (veth, bridge, VLAN ...)
    bool default_route = false;  // an IPv4 or IPv6 default route leaves through it

    bool operator==(const Link&) const = default;
};

}  // namespace wcs_node_agent
