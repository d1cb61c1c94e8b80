// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// A network interface of the agent's own namespace, as RTNETLINK reports it.
struct Link {
    std::uint32_t index = 0;
    std::string name;
    std::uint16_t hardware_type = 0;  // ARPHRD_*
    bool loopback = false;
    bool physical = false;       // has a device below it: no software kind (veth, bridge, VLAN ...)
    bool default_route = false;  // packets for the internet leave through it, IPv4 or IPv6
    bool carrier = false;        // up, and somebody is at the other end
    std::string kind = {};       // of a software device: vlan, bond, bridge ...; else empty
    std::uint32_t lower = 0;     // the device that its frames cross next; 0: none, or not seen here
    std::uint32_t master = 0;    // the bond, team, bridge, VRF ... that it is a port of; 0: none
    std::vector<std::string> alternative_names = {};
    bool tunnel = false;                    // its frames cross another one as packets of this host
    std::vector<std::uint8_t> remote = {};  // of a tunnel: where these go, 4 bytes or 16, if known
    std::vector<std::uint32_t> underlay = {};  // what an unbound tunnel's frames cross, by routes

    bool operator==(const Link&) const = default;
};

/// The link of that index; null if it is not among these.
inline const Link* find_link(std::span<const Link> links, std::uint32_t index) {
    const auto found = std::ranges::find(links, index, &Link::index);
    return found == links.end() ? nullptr : &*found;
}

/// For people; "?" if it is not among these.
inline std::string_view name_of(std::span<const Link> links, std::uint32_t index) {
    const auto* link = find_link(links, index);
    return link ? std::string_view(link->name) : "?";
}

/// The names of those links whose index is among these, ascending; in the order of the links.
inline std::vector<std::string> names_of(std::span<const Link> links,
                                         std::span<const std::uint32_t> indexes) {
    std::vector<std::string> names;
    for (const auto& link : links)
        if (std::ranges::binary_search(indexes, link.index)) names.push_back(link.name);
    return names;
}

}  // namespace wcs_node_agent
