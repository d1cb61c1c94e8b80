// SPDX-License-Identifier: Apache-2.0
/// Links of kinds that not every kernel makes, in messages as the kernel would send them.
#include "kernel/link_message.hpp"

#include <functional>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <memory>
#include <string>
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

}  // namespace
}  // namespace wcs_node_agent
