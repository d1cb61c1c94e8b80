// SPDX-License-Identifier: Apache-2.0
#include "kernel/route_message.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

namespace wcs_node_agent {

namespace {

void add_next_hops(nlattr* multipath, std::set<std::uint32_t>& interfaces) {
    const auto* at = static_cast<const char*>(nla_data(multipath));
    int left = nla_len(multipath);
    while (left >= static_cast<int>(sizeof(rtnexthop))) {
        rtnexthop hop{};
        std::memcpy(&hop, at, sizeof(hop));
        if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left) return;
        interfaces.insert(static_cast<std::uint32_t>(hop.rtnh_ifindex));
        at += RTNH_ALIGN(hop.rtnh_len);
        left -= RTNH_ALIGN(hop.rtnh_len);
    }
}

}  // namespace

std::optional<Route> parse_route(nlmsghdr* message) {
    if (message->nlmsg_type != RTM_NEWROUTE) return std::nullopt;
    const auto* header = static_cast<const rtmsg*>(nlmsg_data(message));
    if (header->rtm_type != RTN_UNICAST && header->rtm_type != RTN_MULTICAST) return std::nullopt;
    // Attributes of newer kernels are passed over.
    std::array<nlattr*, RTA_MAX + 1> attributes{};
    nlmsg_parse(message, sizeof(*header), attributes.data(), RTA_MAX, nullptr);
    Route route;
    route.prefix_length = header->rtm_dst_len;
    if (auto* out = attributes[RTA_OIF]) route.interfaces.insert(nla_get_u32(out));
    if (auto* hops = attributes[RTA_MULTIPATH]) add_next_hops(hops, route.interfaces);
    if (auto* nexthop = attributes[RTA_NH_ID]) route.nexthop = nla_get_u32(nexthop);
    return route;
}

bool Destination::contains(std::span<const std::uint8_t> other) const {
    if (other.size() != address.size()) return false;
    const auto whole = static_cast<std::size_t>(prefix_length / 8);
    if (!std::ranges::equal(other.first(whole), std::span(address).first(whole))) return false;
    const int rest = prefix_length % 8;
    return rest == 0 || (other[whole] ^ address[whole]) >> (8 - rest) == 0;
}

std::optional<Destination> destination_of(nlmsghdr* message) {
    const auto* header = static_cast<const rtmsg*>(nlmsg_data(message));
    if (header->rtm_family != AF_INET && header->rtm_family != AF_INET6) return std::nullopt;
    Destination destination{
        .address = std::vector<std::uint8_t>(header->rtm_family == AF_INET ? 4 : 16),
        .prefix_length = 0};
    const auto* address = nlmsg_find_attr(message, sizeof(*header), RTA_DST);
    if (!address) return destination;  // a default route
    const auto length = destination.address.size();
    nla_memcpy(destination.address.data(), address, static_cast<int>(length));
    destination.prefix_length = std::min<int>(header->rtm_dst_len, static_cast<int>(length) * 8);
    return destination;
}

std::optional<Nexthop> parse_nexthop(nlmsghdr* message) {
    if (message->nlmsg_type != RTM_NEWNEXTHOP) return std::nullopt;
    std::array<nlattr*, NHA_MAX + 1> attributes{};
    nlmsg_parse(message, sizeof(nhmsg), attributes.data(), NHA_MAX, nullptr);
    Nexthop nexthop;
    if (auto* out = attributes[NHA_OIF]) nexthop.interface = nla_get_u32(out);
    if (auto* group = attributes[NHA_GROUP]) {
        std::vector<nexthop_grp> members(static_cast<std::size_t>(nla_len(group)) /
                                         sizeof(nexthop_grp));
        nla_memcpy(members.data(), group, static_cast<int>(members.size() * sizeof(nexthop_grp)));
        for (const auto& member : members) nexthop.members.push_back(member.id);
    }
    return nexthop;
}

}  // namespace wcs_node_agent
