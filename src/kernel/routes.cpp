// SPDX-License-Identifier: Apache-2.0
#include "kernel/routes.hpp"

#include "kernel/netlink_request.hpp"

#include <algorithm>
#include <array>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <set>
#include <sys/socket.h>

#include <netlink/attr.h>

namespace wcs_node_agent {

namespace {

using Indexes = std::set<std::uint32_t>;
using Address = std::span<const std::uint8_t>;  // 4 bytes or 16

/// One of each eighth of the unicast space, as VPNs and balancing split it: 0.0.0.0/1 and so on.
constexpr std::array<std::array<std::uint8_t, 4>, 7> public_ipv4{{{20, 10, 5, 3},
                                                                  {52, 30, 15, 9},
                                                                  {80, 40, 20, 10},
                                                                  {112, 56, 28, 14},
                                                                  {144, 72, 36, 18},
                                                                  {176, 88, 44, 22},
                                                                  {208, 104, 52, 26}}};

/// One of what each registry gives out of 2000::/3.
constexpr std::array<std::array<std::uint8_t, 16>, 6> public_ipv6{{
    {0x20, 0x01, 0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x24, 0x06, 0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x26, 0x07, 0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x28, 0x04, 0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x2a, 0x02, 0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x2c, 0x0f, 0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
}};

/// Asks for routes. After an error it asks no more, and finds nothing.
class Routes {
 public:
    explicit Routes(nl_sock* socket) : socket_(socket) {}

    int error() const { return error_; }

    /// Where packets to an address leave. through: 0, or an interface that they are bound to; a VRF
    /// means its table.
    Indexes to(Address address, std::uint32_t through = 0) {
        rtmsg header{};
        header.rtm_family = address.size() == 4 ? AF_INET : AF_INET6;
        header.rtm_dst_len = static_cast<unsigned char>(address.size() * 8);
        // The route itself and all its hops, not the one hop that this address would take. A kernel
        // that does not know the flag answers with that hop.
        header.rtm_flags = RTM_F_FIB_MATCH;
        const auto request = netlink_request(RTM_GETROUTE, header);
        if (request) {
            nla_put(request.get(), RTA_DST, static_cast<int>(address.size()), address.data());
            if (through != 0) nla_put_u32(request.get(), RTA_OIF, through);
        }
        std::optional<Route> found;
        ask(request.get(), [&](nlmsghdr* message) { found = parse_route(message); });
        return found ? interfaces_of(*found) : Indexes{};
    }

    Indexes to_internet(std::uint32_t through = 0) {
        Indexes found;
        for (const auto& address : public_ipv4) found.merge(to(address, through));
        for (const auto& address : public_ipv6) found.merge(to(address, through));
        return found;
    }

    /// The default routes of all tables, whatever leads to these.
    Indexes default_routes() {
        std::vector<Route> found;
        for (const int family : {AF_INET, AF_INET6}) {
            rtmsg wanted{};
            wanted.rtm_family = static_cast<unsigned char>(family);
            keep(until_whole([&] {
                return dump(socket_, RTM_GETROUTE, wanted, [&](nlmsghdr* message) {
                    const auto route = parse_route(message);
                    if (route && route->prefix_length == 0) found.push_back(*route);
                });
            }));
        }
        Indexes interfaces;
        for (const auto& route : found) interfaces.merge(interfaces_of(route));
        return interfaces;
    }

 private:
    void keep(int error) {
        if (error < 0 && error_ == 0) error_ = error;
    }

    template <class Receive>
    void ask(nl_msg* request, Receive receive) {
        if (error_ == 0) keep(wcs_node_agent::ask(socket_, request, receive));
    }

    /// With net.ipv4.nexthop_compat_mode=0 a route names its nexthop object alone.
    Indexes interfaces_of(const Route& route) {
        if (!route.interfaces.empty() || route.nexthop == 0) return route.interfaces;
        const auto one = nexthop(route.nexthop);
        Indexes interfaces{one.interface};
        // A group has no groups in it.
        for (const auto member : one.members) interfaces.insert(nexthop(member).interface);
        interfaces.erase(0);
        return interfaces;
    }

    Nexthop nexthop(std::uint32_t identifier) {
        const auto request = netlink_request(RTM_GETNEXTHOP, nhmsg{});
        if (request) nla_put_u32(request.get(), NHA_ID, identifier);
        std::optional<Nexthop> found;
        ask(request.get(), [&](nlmsghdr* message) { found = parse_nexthop(message); });
        return found.value_or(Nexthop{});
    }

    nl_sock* socket_;
    int error_ = 0;
};

/// For tunnels of which no remote is known (WireGuard, tun). Their own packets must get past the
/// tunnel, on a route that is worse for all others: bound to an interface the kernel takes it if it
/// has one there. Where none has it stands in a table for marked packets alone, or waits for a
/// carrier.
Indexes ways_past_tunnels(Routes& routes, std::span<const Link> links) {
    Indexes ways;
    for (const auto& link : links)
        if (link.carrier && !link.loopback && !link.tunnel &&
            (!routes.to(public_ipv4[0], link.index).empty() ||
             !routes.to(public_ipv6[0], link.index).empty()))
            ways.insert(link.index);
    if (ways.empty()) ways = routes.default_routes();
    for (const auto& link : links)
        if (link.tunnel) ways.erase(link.index);
    return ways;
}

/// What carries the frames of a tunnel that is bound to no device.
Indexes underlay(Routes& routes, const Link& tunnel, std::span<const Link> links) {
    if (!tunnel.remote.empty()) return routes.to(tunnel.remote);
    return tunnel.default_route ? ways_past_tunnels(routes, links) : Indexes{};
}

}  // namespace

int add_routes(nl_sock* socket, std::span<Link> links) {
    Routes routes(socket);
    auto ways = routes.to_internet();
    if (ways.empty())
        for (const auto& link : links)
            if (link.kind == "vrf") ways.merge(routes.to_internet(link.index));
    for (auto& link : links) link.default_route = ways.contains(link.index);
    for (auto& link : links) {
        if (!link.tunnel || link.lower != 0) continue;
        auto found = underlay(routes, link, links);
        found.erase(link.index);
        link.underlay = {found.begin(), found.end()};
    }
    return routes.error();
}

/// A default route, which may lead past a tunnel, is for all of them.
bool asks_for_any_in(const Destination& destination, std::span<const Link> links) {
    const auto asks_for = [&](Address address) { return destination.contains(address); };
    return std::ranges::any_of(public_ipv4, asks_for) ||
           std::ranges::any_of(public_ipv6, asks_for) ||
           std::ranges::any_of(links, [&](const Link& link) {
               return link.tunnel && link.lower == 0 && asks_for(link.remote);
           });
}

}  // namespace wcs_node_agent
