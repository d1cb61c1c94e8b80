// SPDX-License-Identifier: Apache-2.0
#include "kernel/link_message.hpp"

#include <algorithm>
#include <array>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string_view>

#include <netlink/attr.h>
#include <netlink/msg.h>

namespace wcs_node_agent {

namespace {

/// Attributes by type; null where absent. Those of newer kernels are passed over.
template <std::size_t N>
using Attributes = std::array<nlattr*, N>;

template <std::size_t N>
Attributes<N> nested_in(nlattr* attribute) {
    Attributes<N> nested{};
    if (attribute) nla_parse_nested(nested.data(), N - 1, attribute, nullptr);
    return nested;
}

std::uint32_t index_in(nlattr* attribute) { return attribute ? nla_get_u32(attribute) : 0; }

/// IFLA_LINK is the device below (VLAN, macvlan, macvtap, ipvlan, MACsec, DSA) or the one that a
/// tunnel is bound to, whose frames it crosses encapsulated; of the two ends of a pair it is the
/// other end, and that is not below.
bool is_end_of_pair(std::string_view kind) {
    constexpr std::array<std::string_view, 3> pairs{"veth", "netkit", "vxcan"};
    return std::ranges::find(pairs, kind) != pairs.end();
}

/// A VXLAN tunnel has the device that it is bound to among its own attributes.
std::uint32_t bound_to(std::string_view kind, nlattr* data) {
    if (kind != "vxlan") return 0;
    return index_in(nested_in<IFLA_VXLAN_LINK + 1>(data)[IFLA_VXLAN_LINK]);
}

}  // namespace

std::optional<Link> parse_link(nlmsghdr* message) {
    if (message->nlmsg_type != RTM_NEWLINK) return std::nullopt;
    const auto* header = static_cast<const ifinfomsg*>(nlmsg_data(message));
    Attributes<IFLA_MAX + 1> attributes{};
    nlmsg_parse(message, sizeof(*header), attributes.data(), IFLA_MAX, nullptr);
    const auto info = nested_in<IFLA_INFO_MAX + 1>(attributes[IFLA_LINKINFO]);

    Link link;
    link.index = static_cast<std::uint32_t>(header->ifi_index);
    if (auto* name = attributes[IFLA_IFNAME]) link.name = nla_get_string(name);
    link.hardware_type = header->ifi_type;
    link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
    link.carrier = (header->ifi_flags & IFF_LOWER_UP) != 0;
    // A software device names its kind; a NIC's driver has none.
    if (auto* kind = info[IFLA_INFO_KIND]) link.kind = nla_get_string(kind);
    link.physical = !link.loopback && link.kind.empty();
    link.master = index_in(attributes[IFLA_MASTER]);
    // With IFLA_LINK_NETNSID the index is one of another namespace, and may be somebody else's
    // here.
    if (!attributes[IFLA_LINK_NETNSID] && !is_end_of_pair(link.kind)) {
        link.lower = index_in(attributes[IFLA_LINK]);
        if (link.lower == 0) link.lower = bound_to(link.kind, info[IFLA_INFO_DATA]);
    }
    return link;
}

}  // namespace wcs_node_agent
