// SPDX-License-Identifier: Apache-2.0
#include "kernel/links.hpp"

#include "kernel/link_message.hpp"
#include "kernel/netlink_dump.hpp"
#include "kernel/netlink_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/rtnetlink.h>
#include <set>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

namespace wcs_node_agent {

namespace {

using Indexes = std::set<std::uint32_t>;

void add_next_hops(nlattr* multipath, Indexes& indexes) {
    const auto* at = static_cast<const char*>(nla_data(multipath));
    int left = nla_len(multipath);
    while (left >= static_cast<int>(sizeof(rtnexthop))) {
        rtnexthop hop{};
        std::memcpy(&hop, at, sizeof(hop));
        if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left) return;
        indexes.insert(static_cast<std::uint32_t>(hop.rtnh_ifindex));
        at += RTNH_ALIGN(hop.rtnh_len);
        left -= RTNH_ALIGN(hop.rtnh_len);
    }
}

void parse_default_route(nlmsghdr* message, Indexes& indexes) {
    if (message->nlmsg_type != RTM_NEWROUTE) return;
    const auto* route = static_cast<const rtmsg*>(nlmsg_data(message));
    if (route->rtm_dst_len != 0 || route->rtm_type != RTN_UNICAST) return;
    if (route->rtm_table != RT_TABLE_MAIN || (route->rtm_flags & RTM_F_CLONED) != 0) return;
    // Those of newer kernels are passed over.
    std::array<nlattr*, RTA_MAX + 1> attributes{};
    nlmsg_parse(message, sizeof(*route), attributes.data(), RTA_MAX, nullptr);
    if (auto* out = attributes[RTA_OIF]) indexes.insert(nla_get_u32(out));
    if (auto* hops = attributes[RTA_MULTIPATH]) add_next_hops(hops, indexes);
}

}  // namespace

void LinkMonitor::FreeSocket::operator()(nl_sock* socket) const { nl_socket_free(socket); }

LinkMonitor::LinkMonitor(Socket requests, Socket events)
    : requests_(std::move(requests)), events_(std::move(events)) {}

Result<LinkMonitor> LinkMonitor::open() {
    Socket requests(nl_socket_alloc());
    Socket events(nl_socket_alloc());
    if (!requests || !events) return failure("netlink: open", netlink_error(-NLE_NOMEM));
    nl_join_groups(events.get(), RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
    for (auto* socket : {requests.get(), events.get()})
        if (const int error = nl_connect(socket, NETLINK_ROUTE); error < 0)
            return failure("netlink: connect", netlink_error(error));
    if (const int error = nl_socket_set_nonblocking(events.get()); error < 0)
        return failure("netlink: non-blocking", netlink_error(error));
    return LinkMonitor(std::move(requests), std::move(events));
}

Result<std::vector<Link>> LinkMonitor::list() {
    // A dump that a change cut through says so and must be begun again.
    for (int attempt = 1;; ++attempt) {
        std::vector<Link> links;
        Indexes default_routes;
        int error = dump(requests_.get(), RTM_GETLINK, ifinfomsg{}, [&](nlmsghdr* message) {
            if (auto link = parse_link(message)) links.push_back(*std::move(link));
        });
        for (const int family : {AF_INET, AF_INET6}) {
            if (error < 0) break;
            rtmsg wanted{};
            wanted.rtm_family = static_cast<unsigned char>(family);
            error = dump(requests_.get(), RTM_GETROUTE, wanted,
                         [&](nlmsghdr* message) { parse_default_route(message, default_routes); });
        }
        if (error == -NLE_DUMP_INTR && attempt < 10) continue;
        if (error < 0) return failure("netlink: list", netlink_error(error));
        for (auto& link : links) link.default_route = default_routes.contains(link.index);
        std::ranges::sort(links, {}, &Link::index);
        return links;
    }
}

int LinkMonitor::descriptor() const { return nl_socket_get_fd(events_.get()); }

bool LinkMonitor::changed() {
    std::array<char, 16> beginning{};  // what has changed is asked for anew anyway
    bool any = false;
    for (;;) {
        const auto length = ::recv(descriptor(), beginning.data(), beginning.size(), 0);
        // ENOBUFS: messages were lost, which is a change like any other.
        if (length < 0 && errno != ENOBUFS) return any;
        any = true;
    }
}

}  // namespace wcs_node_agent
