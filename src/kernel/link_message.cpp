// SPDX-License-Identifier: Apache-2.0
#include "kernel/link_message.hpp"

#include <algorithm>
#include <array>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/rtnetlink.h>
#include <string_view>
#include <sys/socket.h>

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

/// Kinds whose frames cross another interface as IP packets of this host, and among their own
/// attributes those that have the address these are sent to; 0: none.
struct Tunnel {
    std::string_view kind;
    int remote = 0;
    int remote_ipv6 = 0;  // where it has one of its own
};

constexpr std::array<Tunnel, 20> tunnels{{
    {"vxlan", IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6},
    {"geneve", IFLA_GENEVE_REMOTE, IFLA_GENEVE_REMOTE6},
    {"gre", IFLA_GRE_REMOTE},
    {"gretap", IFLA_GRE_REMOTE},
    {"erspan", IFLA_GRE_REMOTE},
    {"ip6gre", IFLA_GRE_REMOTE},
    {"ip6gretap", IFLA_GRE_REMOTE},
    {"ip6erspan", IFLA_GRE_REMOTE},
    {"ipip", IFLA_IPTUN_REMOTE},
    {"sit", IFLA_IPTUN_REMOTE},
    {"ip6tnl", IFLA_IPTUN_REMOTE},
    {"vti", IFLA_VTI_REMOTE},
    {"vti6", IFLA_VTI_REMOTE},
    {"xfrm"},
    {"wireguard"},
    {"amneziawg"},
    {"tun"},
    {"ovpn"},
    {"ovpn-dco"},
    {"bareudp"},
}};

const Tunnel* find_tunnel(std::string_view kind) {
    const auto found = std::ranges::find(tunnels, kind, &Tunnel::kind);
    return found == tunnels.end() ? nullptr : &*found;
}

/// An address of zeros means any: several, or whoever sends first.
std::vector<std::uint8_t> remote_of(const Tunnel& tunnel, nlattr* data) {
    if (!data) return {};
    for (const int type : {tunnel.remote, tunnel.remote_ipv6}) {
        auto* attribute = nla_find(static_cast<nlattr*>(nla_data(data)), nla_len(data), type);
        if (type == 0 || !attribute || (nla_len(attribute) != 4 && nla_len(attribute) != 16))
            continue;
        const auto* bytes = static_cast<const std::uint8_t*>(nla_data(attribute));
        std::vector<std::uint8_t> address(bytes, bytes + nla_len(attribute));
        if (std::ranges::any_of(address, [](auto byte) { return byte != 0; })) return address;
    }
    return {};
}

std::vector<std::string> alternative_names_in(nlattr* properties) {
    std::vector<std::string> names;
    if (!properties) return names;
    auto* one = static_cast<nlattr*>(nla_data(properties));
    for (int left = nla_len(properties); nla_ok(one, left); one = nla_next(one, &left))
        if (nla_type(one) == IFLA_ALT_IFNAME) names.emplace_back(nla_get_string(one));
    return names;
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
    link.alternative_names = alternative_names_in(attributes[IFLA_PROP_LIST]);
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
        if (const auto* tunnel = find_tunnel(link.kind)) {
            link.tunnel = true;
            link.remote = remote_of(*tunnel, info[IFLA_INFO_DATA]);
        }
    }
    return link;
}

std::optional<std::uint32_t> index_of_changed_link(nlmsghdr* message) {
    const auto* header = static_cast<const ifinfomsg*>(nlmsg_data(message));
    if (header->ifi_family != AF_UNSPEC) return std::nullopt;
    if (nlmsg_find_attr(message, sizeof(*header), IFLA_WIRELESS)) return std::nullopt;
    return static_cast<std::uint32_t>(header->ifi_index);
}

}  // namespace wcs_node_agent
