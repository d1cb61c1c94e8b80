// SPDX-License-Identifier: Apache-2.0
/// Routes and nexthop objects, in messages as the kernel would send them.
#include "kernel/route_message.hpp"

#include <array>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <memory>
#include <ostream>
#include <sys/socket.h>
#include <vector>

#include <gmock/gmock.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

namespace wcs_node_agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Message = std::unique_ptr<nl_msg, decltype(&nlmsg_free)>;

Message route_message(unsigned char type, std::uint16_t message_type = RTM_NEWROUTE) {
    Message message(nlmsg_alloc_simple(message_type, 0), nlmsg_free);
    rtmsg header{};
    header.rtm_dst_len = 1;
    header.rtm_type = type;
    nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO);
    return message;
}

Message nexthop_message(std::uint16_t type = RTM_NEWNEXTHOP) {
    Message message(nlmsg_alloc_simple(type, 0), nlmsg_free);
    nhmsg header{};
    nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO);
    return message;
}

TEST(RouteMessage, HasTheInterfaceOfItsHop) {
    const auto message = route_message(RTN_UNICAST);
    nla_put_u32(message.get(), RTA_OIF, 7);
    const auto route = parse_route(nlmsg_hdr(message.get()));
    ASSERT_TRUE(route);
    EXPECT_EQ(route->prefix_length, 1);
    EXPECT_THAT(route->interfaces, ElementsAre(7u));
    EXPECT_EQ(route->nexthop, 0u);
}

TEST(RouteMessage, HasThoseOfAllHops) {
    const auto message = route_message(RTN_UNICAST);
    std::array<rtnexthop, 2> hops{};
    for (std::size_t n = 0; n < hops.size(); ++n) {
        hops[n].rtnh_len = sizeof(rtnexthop);
        hops[n].rtnh_ifindex = static_cast<int>(8 + n);
    }
    nla_put(message.get(), RTA_MULTIPATH, sizeof(hops), hops.data());
    EXPECT_THAT(parse_route(nlmsg_hdr(message.get()))->interfaces, ElementsAre(8u, 9u));

    // Lengths that do not go with the attribute end it.
    for (const int length : {0, 7, 200}) {
        const auto cut = route_message(RTN_UNICAST);
        hops[1].rtnh_len = static_cast<unsigned short>(length);
        nla_put(cut.get(), RTA_MULTIPATH, sizeof(hops), hops.data());
        EXPECT_THAT(parse_route(nlmsg_hdr(cut.get()))->interfaces, ElementsAre(8u));
    }
}

TEST(RouteMessage, MayNameANexthopAlone) {
    const auto message = route_message(RTN_UNICAST);
    nla_put_u32(message.get(), RTA_NH_ID, 42);
    nla_put_u32(message.get(), RTA_MAX + 1, 1);  // an attribute of a kernel yet to come
    const auto route = parse_route(nlmsg_hdr(message.get()));
    ASSERT_TRUE(route);
    EXPECT_THAT(route->interfaces, IsEmpty());
    EXPECT_EQ(route->nexthop, 42u);
}

TEST(RouteMessage, LeadsSomewhere) {
    EXPECT_TRUE(parse_route(nlmsg_hdr(route_message(RTN_MULTICAST).get())));
    for (const auto type : {RTN_LOCAL, RTN_BROADCAST, RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT,
                            RTN_THROW, RTN_UNSPEC})
        EXPECT_FALSE(parse_route(nlmsg_hdr(route_message(static_cast<unsigned char>(type)).get())));
    EXPECT_FALSE(parse_route(nlmsg_hdr(route_message(RTN_UNICAST, RTM_DELROUTE).get())));
}

TEST(NexthopMessage, IsOneHopOrAGroup) {
    const auto one = nexthop_message();
    nla_put_u32(one.get(), NHA_OIF, 7);
    EXPECT_EQ(parse_nexthop(nlmsg_hdr(one.get()))->interface, 7u);
    EXPECT_THAT(parse_nexthop(nlmsg_hdr(one.get()))->members, IsEmpty());

    const auto group = nexthop_message();
    std::array<nexthop_grp, 2> members{};
    members[0].id = 3;
    members[1].id = 4;
    nla_put(group.get(), NHA_GROUP, sizeof(members), members.data());
    EXPECT_EQ(parse_nexthop(nlmsg_hdr(group.get()))->interface, 0u);
    EXPECT_THAT(parse_nexthop(nlmsg_hdr(group.get()))->members, ElementsAre(3u, 4u));

    const auto discards = nexthop_message();
    nla_put_flag(discards.get(), NHA_BLACKHOLE);
    EXPECT_EQ(parse_nexthop(nlmsg_hdr(discards.get()))->interface, 0u);
    EXPECT_FALSE(parse_nexthop(nlmsg_hdr(nexthop_message(RTM_DELNEXTHOP).get())));
}

Message message_for(unsigned char family, int prefix_length,
                    const std::vector<std::uint8_t>& address) {
    Message message(nlmsg_alloc_simple(RTM_DELROUTE, 0), nlmsg_free);
    rtmsg header{};
    header.rtm_family = family;
    header.rtm_dst_len = static_cast<unsigned char>(prefix_length);
    nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO);
    if (!address.empty())
        nla_put(message.get(), RTA_DST, static_cast<int>(address.size()), address.data());
    return message;
}

struct DestinationRow {
    const char* shows;
    unsigned char family;
    int prefix_length;
    std::vector<std::uint8_t> destination;
    std::vector<std::uint8_t> address;
    bool contains;

    friend void PrintTo(const DestinationRow& row, std::ostream* out) { *out << row.shows; }
};

class RouteDestination : public testing::TestWithParam<DestinationRow> {};

INSTANTIATE_TEST_SUITE_P(
    Rows, RouteDestination,
    testing::Values(
        DestinationRow{"the default route is for all", AF_INET, 0, {}, {8, 8, 8, 8}, true},
        DestinationRow{"of its family", AF_INET6, 0, {}, {8, 8, 8, 8}, false},
        DestinationRow{"a host", AF_INET, 32, {8, 8, 8, 8}, {8, 8, 8, 8}, true},
        DestinationRow{"its neighbour", AF_INET, 32, {8, 8, 8, 8}, {8, 8, 8, 9}, false},
        DestinationRow{"whole bytes", AF_INET, 16, {8, 9, 0, 0}, {8, 9, 7, 7}, true},
        DestinationRow{"other bytes", AF_INET, 16, {8, 9, 0, 0}, {8, 8, 7, 7}, false},
        DestinationRow{"half of all", AF_INET, 1, {128, 0, 0, 0}, {144, 72, 36, 18}, true},
        DestinationRow{"the other half", AF_INET, 1, {128, 0, 0, 0}, {20, 10, 5, 3}, false},
        DestinationRow{"bits in a byte", AF_INET, 12, {172, 16, 0, 0}, {172, 31, 0, 1}, true},
        DestinationRow{"past them", AF_INET, 12, {172, 16, 0, 0}, {172, 32, 0, 1}, false},
        DestinationRow{"longer than any", AF_INET, 200, {8, 8, 8, 8}, {8, 8, 8, 8}, true},
        DestinationRow{"an unknown address", AF_INET, 0, {}, {}, false}));

TEST_P(RouteDestination, ContainsAddresses) {
    const auto& row = GetParam();
    const auto message = message_for(row.family, row.prefix_length, row.destination);
    const auto destination = destination_of(nlmsg_hdr(message.get()));
    ASSERT_TRUE(destination);
    EXPECT_EQ(destination->contains(row.address), row.contains);
}

TEST(RouteDestination, IsOfIpv4AndIpv6) {
    EXPECT_FALSE(destination_of(nlmsg_hdr(message_for(AF_MPLS, 20, {0, 0, 16, 0}).get())));
}

}  // namespace
}  // namespace wcs_node_agent
