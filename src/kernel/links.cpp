// SPDX-License-Identifier: Apache-2.0
#include "kernel/links.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <set>
#include <span>

#include <fmt/format.h>
#include <libmnl/libmnl.h>

namespace wcs_node_agent {

namespace {

Error failure(const char* what) {
    return Error{fmt::format("netlink: {}: {}", what, std::strerror(errno))};
}

/// The attributes of a message by type; null where absent. Those of newer kernels are passed over.
template <std::size_t N>
using Attributes = std::array<const nlattr*, N>;

template <std::size_t N>
int collect(const nlattr* attribute, void* data) {
    const auto type = mnl_attr_get_type(attribute);
    if (type < N) (*static_cast<Attributes<N>*>(data))[type] = attribute;
    return MNL_CB_OK;
}

template <std::size_t N>
Attributes<N> attributes_after(const nlmsghdr* message, unsigned header) {
    Attributes<N> attributes{};
    mnl_attr_parse(message, header, collect<N>, &attributes);
    return attributes;
}

/// A software device names its kind (veth, bridge, vlan, bond ...); a NIC's driver has none.
bool has_kind(const nlattr* link_info) {
    Attributes<IFLA_INFO_KIND + 1> nested{};
    mnl_attr_parse_nested(link_info, collect<nested.size()>, &nested);
    return nested[IFLA_INFO_KIND] != nullptr;
}

int parse_link(const nlmsghdr* message, void* data) {
    if (message->nlmsg_type != RTM_NEWLINK) return MNL_CB_OK;
    const auto* header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
    Link link;
    link.index = static_cast<std::uint32_t>(header->ifi_index);
    link.hardware_type = header->ifi_type;
    link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
    const auto attributes = attributes_after<IFLA_LINKINFO + 1>(message, sizeof(*header));
    if (const auto* name = attributes[IFLA_IFNAME]) link.name = mnl_attr_get_str(name);
    const auto* info = attributes[IFLA_LINKINFO];
    link.physical = !link.loopback && !(info && has_kind(info));
    static_cast<std::vector<Link>*>(data)->push_back(std::move(link));
    return MNL_CB_OK;
}

using Indexes = std::set<std::uint32_t>;

void add_next_hops(const nlattr* multipath, Indexes& indexes) {
    const auto* hop = static_cast<const rtnexthop*>(mnl_attr_get_payload(multipath));
    auto left = static_cast<int>(mnl_attr_get_payload_len(multipath));
    while (left > 0 && RTNH_OK(hop, left)) {
        indexes.insert(static_cast<std::uint32_t>(hop->rtnh_ifindex));
        left -= RTNH_ALIGN(hop->rtnh_len);
        hop = RTNH_NEXT(hop);
    }
}

int parse_default_route(const nlmsghdr* message, void* data) {
    if (message->nlmsg_type != RTM_NEWROUTE) return MNL_CB_OK;
    const auto* route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
    if (route->rtm_dst_len != 0 || route->rtm_type != RTN_UNICAST) return MNL_CB_OK;
    if (route->rtm_table != RT_TABLE_MAIN || (route->rtm_flags & RTM_F_CLONED) != 0)
        return MNL_CB_OK;
    auto& indexes = *static_cast<Indexes*>(data);
    const auto attributes = attributes_after<RTA_MULTIPATH + 1>(message, sizeof(*route));
    if (const auto* out = attributes[RTA_OIF]) indexes.insert(mnl_attr_get_u32(out));
    if (const auto* hops = attributes[RTA_MULTIPATH]) add_next_hops(hops, indexes);
    return MNL_CB_OK;
}

/// One dump of everything of a kind; its answer goes message by message through parse.
Result<void> dump(mnl_socket* socket, std::uint16_t type, unsigned char family, mnl_cb_t parse,
                  void* data) {
    // The kernel fills messages up to 32 KiB where the reader's buffer is as large.
    std::array<char, 32768> buffer{};
    auto* request = mnl_nlmsg_put_header(buffer.data());
    request->nlmsg_type = type;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    // ifinfomsg and rtmsg both begin with the family.
    auto* header =
        static_cast<unsigned char*>(mnl_nlmsg_put_extra_header(request, sizeof(ifinfomsg)));
    header[0] = family;
    if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0) return failure("send");
    for (;;) {
        const auto length = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
        if (length < 0) return failure("receive");
        const auto state = mnl_cb_run(buffer.data(), static_cast<std::size_t>(length), 0,
                                      mnl_socket_get_portid(socket), parse, data);
        if (state < 0) return failure("dump");
        if (state == MNL_CB_STOP) return {};
    }
}

}  // namespace

void LinkMonitor::CloseSocket::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

LinkMonitor::LinkMonitor(Socket requests, Socket events)
    : requests_(std::move(requests)), events_(std::move(events)) {}

Result<LinkMonitor> LinkMonitor::open() {
    Socket requests(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
    Socket events(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!requests || !events) return failure("open");
    constexpr unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
    if (mnl_socket_bind(requests.get(), 0, MNL_SOCKET_AUTOPID) < 0 ||
        mnl_socket_bind(events.get(), groups, MNL_SOCKET_AUTOPID) < 0)
        return failure("bind");
    return LinkMonitor(std::move(requests), std::move(events));
}

Result<std::vector<Link>> LinkMonitor::list() {
    // A dump that a change cut through is told by EINTR and must be begun again.
    for (int attempt = 1;; ++attempt) {
        std::vector<Link> links;
        Indexes default_routes;
        auto done = dump(requests_.get(), RTM_GETLINK, AF_UNSPEC, parse_link, &links);
        for (const unsigned char family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}})
            if (done)
                done = dump(requests_.get(), RTM_GETROUTE, family, parse_default_route,
                            &default_routes);
        if (!done) {
            if (errno == EINTR && attempt < 10) continue;
            return done.error();
        }
        for (auto& link : links) link.default_route = default_routes.contains(link.index);
        std::ranges::sort(links, {}, &Link::index);
        return links;
    }
}

int LinkMonitor::descriptor() const { return mnl_socket_get_fd(events_.get()); }

bool LinkMonitor::changed() {
    std::array<char, 32768> buffer{};
    bool any = false;
    for (;;) {
        const auto length = mnl_socket_recvfrom(events_.get(), buffer.data(), buffer.size());
        // ENOBUFS: messages were lost, which is a change like any other.
        if (length < 0 && errno != ENOBUFS) return any;
        any = true;
    }
}

}  // namespace wcs_node_agent
