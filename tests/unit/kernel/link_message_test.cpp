// SPDX-License-Identifier: Apache-2.0
/// Links of kinds that not every kernel makes, in messages as the kernel would send them.
#include "kernel/link_message.hpp"

#include <functional>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/rtnetlink.h>
#include <memory>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <vector>

#include <gtest/gtest.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

namespace wcs_node_agent {
namespace {

using Message = std::unique_ptr<nl_msg, decltype(&nlmsg_free)>;

struct Attributes {
    std::string kind = {};    // IFLA_INFO_KIND; empty: no IFLA_LINKINFO
    int link = -1;            // IFLA_LINK
    int link_namespace = -1;  // IFLA_LINK_NETNSID
    int master = -1;          // IFLA_MASTER
    int vxlan_link = -1;      // IFLA_VXLAN_LINK among the kind's own data
    unsigned flags = IFF_UP | IFF_LOWER_UP;
};

Message message_of(const Attributes& attributes, std::uint16_t type = RTM_NEWLINK) {
    Message message(nlmsg_alloc_simple(type, 0), nlmsg_free);
    ifinfomsg header{};
    header.ifi_index = 7;
    header.ifi_type = ARPHRD_ETHER;
    header.ifi_flags = attributes.flags;
    nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO);
    const auto put = [&](int attribute, int value) {
        if (value >= 0) nla_put_u32(message.get(), attribute, static_cast<std::uint32_t>(value));
    };
    nla_put_string(message.get(), IFLA_IFNAME, "wan0");
    put(IFLA_LINK, attributes.link);
    put(IFLA_LINK_NETNSID, attributes.link_namespace);
    put(IFLA_MASTER, attributes.master);
    if (!attributes.kind.empty()) {
        auto* info = nla_nest_start(message.get(), IFLA_LINKINFO);
        nla_put_string(message.get(), IFLA_INFO_KIND, attributes.kind.c_str());
        auto* data = nla_nest_start(message.get(), IFLA_INFO_DATA);
        put(IFLA_VXLAN_LINK, attributes.vxlan_link);
        nla_nest_end(message.get(), data);
        nla_nest_end(message.get(), info);
    }
    put(IFLA_MAX + 1, 1);  // an attribute of a kernel yet to come
    return message;
}

struct Row {
    const char* shows;
    Attributes attributes;
    std::uint32_t lower;
    std::uint32_t master;
    bool physical;
};

TEST(LinkMessage, SaysWhatStandsOnWhat) {
    const std::vector<Row> rows{
        {"a card", {}, 0, 0, true},
        {"a card in a bond", {.master = 3}, 0, 3, true},
        {"a VLAN", {.kind = "vlan", .link = 2}, 2, 0, false},
        {"a VLAN that is a bridge's port", {.kind = "vlan", .link = 2, .master = 3}, 2, 3, false},
        {"an ipvlan", {.kind = "ipvlan", .link = 2}, 2, 0, false},
        {"a MACsec", {.kind = "macsec", .link = 2}, 2, 0, false},
        {"a switch's port, of a kernel that gives it no kind", {.link = 2}, 2, 0, true},
        {"a bond", {.kind = "bond"}, 0, 0, false},
        {"a macvlan whose card stayed in another namespace",
         {.kind = "macvlan", .link = 2, .link_namespace = 0},
         0,
         0,
         false},
        {"a veth: the other end is not below", {.kind = "veth", .link = 2}, 0, 0, false},
        {"a netkit alike", {.kind = "netkit", .link = 2}, 0, 0, false},
        {"a bound tunnel", {.kind = "gre", .link = 2}, 2, 0, false},
        {"a tunnel that is bound to none", {.kind = "gre", .link = 0}, 0, 0, false},
        {"a VXLAN has it among its own", {.kind = "vxlan", .vxlan_link = 2}, 2, 0, false},
        {"of another kind that number means something else",
         {.kind = "bond", .vxlan_link = 2},
         0,
         0,
         false},
        {"a VXLAN bound in another namespace",
         {.kind = "vxlan", .link_namespace = 0, .vxlan_link = 2},
         0,
         0,
         false},
        {"loopback", {.flags = IFF_UP | IFF_LOWER_UP | IFF_LOOPBACK}, 0, 0, false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto link = parse_link(nlmsg_hdr(message_of(row.attributes).get()));
        ASSERT_TRUE(link);
        EXPECT_EQ(link->index, 7u);
        EXPECT_EQ(link->name, "wan0");
        EXPECT_EQ(link->hardware_type, ARPHRD_ETHER);
        EXPECT_EQ(link->kind, row.attributes.kind);
        EXPECT_EQ(link->lower, row.lower);
        EXPECT_EQ(link->master, row.master);
        EXPECT_EQ(link->physical, row.physical);
        EXPECT_EQ(link->loopback, (row.attributes.flags & IFF_LOOPBACK) != 0);
        EXPECT_TRUE(link->carrier);
    }
}

/// A tunnel with one attribute among its kind's own.
Link tunnel(const char* kind, int attribute, const std::vector<std::uint8_t>& bytes,
            bool elsewhere = false) {
    Message message(nlmsg_alloc_simple(RTM_NEWLINK, 0), nlmsg_free);
    ifinfomsg header{};
    nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO);
    if (elsewhere) nla_put_u32(message.get(), IFLA_LINK_NETNSID, 0);
    auto* info = nla_nest_start(message.get(), IFLA_LINKINFO);
    nla_put_string(message.get(), IFLA_INFO_KIND, kind);
    auto* data = nla_nest_start(message.get(), IFLA_INFO_DATA);
    nla_put_u8(message.get(), 100, 1);  // another one before it
    nla_put(message.get(), attribute, static_cast<int>(bytes.size()), bytes.data());
    nla_nest_end(message.get(), data);
    nla_nest_end(message.get(), info);
    return parse_link(nlmsg_hdr(message.get())).value();
}

TEST(LinkMessage, ATunnelHasTheAddressOfItsRemote) {
    const std::vector<std::uint8_t> none;
    const std::vector<std::uint8_t> ipv4{10, 79, 0, 2};
    const std::vector<std::uint8_t> ipv6{0xfd, 0x79, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
    EXPECT_EQ(tunnel("vxlan", IFLA_VXLAN_GROUP, ipv4).remote, ipv4);
    EXPECT_EQ(tunnel("vxlan", IFLA_VXLAN_GROUP6, ipv6).remote, ipv6);
    EXPECT_EQ(tunnel("geneve", IFLA_GENEVE_REMOTE, ipv4).remote, ipv4);
    EXPECT_EQ(tunnel("geneve", IFLA_GENEVE_REMOTE6, ipv6).remote, ipv6);
    for (const auto* kind : {"gre", "gretap", "erspan", "ip6gre", "ip6gretap", "ip6erspan"})
        EXPECT_EQ(tunnel(kind, IFLA_GRE_REMOTE, ipv6).remote, ipv6) << kind;
    for (const auto* kind : {"ipip", "sit", "ip6tnl"})
        EXPECT_EQ(tunnel(kind, IFLA_IPTUN_REMOTE, ipv4).remote, ipv4) << kind;
    for (const auto* kind : {"vti", "vti6"})
        EXPECT_EQ(tunnel(kind, IFLA_VTI_REMOTE, ipv4).remote, ipv4) << kind;
    EXPECT_EQ(tunnel("gre", IFLA_GRE_REMOTE, {0, 0, 0, 0}).remote, none) << "several";
    EXPECT_EQ(tunnel("gre", IFLA_GRE_REMOTE, {10, 79}).remote, none) << "no address";
    EXPECT_EQ(tunnel("wireguard", IFLA_GRE_REMOTE, ipv4).remote, none) << "has no such attribute";
    EXPECT_TRUE(tunnel("wireguard", 1, none).tunnel);
    EXPECT_TRUE(tunnel("tun", 1, none).tunnel);
    EXPECT_FALSE(tunnel("bridge", 1, ipv4).tunnel);
    EXPECT_FALSE(tunnel("gre", IFLA_GRE_REMOTE, ipv4, true).tunnel)
        << "its frames cross interfaces of another namespace";
}

TEST(LinkMessage, HasItsAlternativeNames) {
    const auto message = message_of({});
    EXPECT_TRUE(parse_link(nlmsg_hdr(message.get()))->alternative_names.empty());
    auto* properties = nla_nest_start(message.get(), IFLA_PROP_LIST);
    nla_put_string(message.get(), IFLA_ALT_IFNAME, "public-uplink-0");
    nla_put_u32(message.get(), IFLA_MAX + 1, 1);  // a property of a kernel yet to come
    nla_put_string(message.get(), IFLA_ALT_IFNAME, "enp1s0");
    nla_nest_end(message.get(), properties);
    EXPECT_EQ(parse_link(nlmsg_hdr(message.get()))->alternative_names,
              (std::vector<std::string>{"public-uplink-0", "enp1s0"}));
}

TEST(LinkMessage, ACarrierIsUpAndSeen) {
    const auto carrier = [](unsigned flags) {
        return parse_link(nlmsg_hdr(message_of({.flags = flags}).get()))->carrier;
    };
    EXPECT_TRUE(carrier(IFF_UP | IFF_LOWER_UP));
    EXPECT_FALSE(carrier(IFF_UP)) << "nobody at the other end";
    EXPECT_FALSE(carrier(0));
}

TEST(LinkMessage, OthersAreNone) {
    EXPECT_FALSE(parse_link(nlmsg_hdr(message_of({}, RTM_DELLINK).get())));
    EXPECT_FALSE(parse_link(nlmsg_hdr(message_of({}, NLMSG_DONE).get())));
}

std::optional<std::uint32_t> changed_by(std::uint16_t type, unsigned char family,
                                        bool wireless = false) {
    const auto message = message_of({}, type);
    static_cast<ifinfomsg*>(nlmsg_data(nlmsg_hdr(message.get())))->ifi_family = family;
    if (wireless) nla_put_u32(message.get(), IFLA_WIRELESS, 0);
    return index_of_changed_link(nlmsg_hdr(message.get()));
}

TEST(LinkMessage, IsAboutALinkThatIsThereOrHasGone) {
    EXPECT_EQ(changed_by(RTM_NEWLINK, AF_UNSPEC), 7u);
    EXPECT_EQ(changed_by(RTM_DELLINK, AF_UNSPEC), 7u);
}

TEST(LinkMessage, OrAboutSomethingElseOfALink) {
    EXPECT_FALSE(changed_by(RTM_DELLINK, AF_BRIDGE)) << "a port has left its bridge";
    EXPECT_FALSE(changed_by(RTM_NEWLINK, AF_INET6));
    EXPECT_FALSE(changed_by(RTM_NEWLINK, AF_UNSPEC, true)) << "it has no kind, no master";
}

}  // namespace
}  // namespace wcs_node_agent
