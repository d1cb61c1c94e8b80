// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

struct nlmsghdr;

namespace wcs_node_agent {

/// A route on which packets leave, to one hop or to many (multicast).
struct Route {
    int prefix_length = 0;
    std::set<std::uint32_t> interfaces;  // of its hops
    std::uint32_t nexthop = 0;           // the nexthop object that has them; 0: none
};

/// The route that an RTM_NEWROUTE message describes; none for one that leads to this host itself or
/// nowhere (local, unreachable, blackhole ...), and for any other message.
std::optional<Route> parse_route(nlmsghdr* message);

/// The addresses that a route is for.
struct Destination {
    std::vector<std::uint8_t> address;  // 4 bytes or 16
    int prefix_length = 0;              // bits of it that count

    /// An address of another length is of the other family.
    bool contains(std::span<const std::uint8_t> other) const;
};

/// Of an RTM_NEWROUTE or RTM_DELROUTE message; none where it is of another family than IPv4 and
/// IPv6.
std::optional<Destination> destination_of(nlmsghdr* message);

/// A nexthop object, as `ip nexthop` shows it: one hop, or a group of others.
struct Nexthop {
    std::uint32_t interface = 0;         // 0: a group, or one that discards
    std::vector<std::uint32_t> members;  // of a group
};

/// What an RTM_NEWNEXTHOP message describes; none for any other message.
std::optional<Nexthop> parse_nexthop(nlmsghdr* message);

}  // namespace wcs_node_agent
