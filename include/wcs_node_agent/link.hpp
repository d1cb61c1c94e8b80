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
    bool carrier = false;        // up, and somebody is at the other end
    std::string kind = {};       // of a software device: vlan, bond, bridge ...; else empty
    std::uint32_t lower = 0;     // the device that its frames cross next; 0: none, or not seen here
    std::uint32_t master = 0;    // the bond, team, bridge, VRF ... that it is a port of; 0: none

    bool operator==(const Link&) const = default;
};

}  // namespace wcs_node_agent
