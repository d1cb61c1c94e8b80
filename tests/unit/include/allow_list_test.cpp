// SPDX-License-Identifier: Apache-2.0
#include <wcs_node_agent/config.hpp>

#include <boost/asio/ip/address.hpp>
#include <gtest/gtest.h>

namespace wcs_node_agent {

namespace {

using boost::asio::ip::make_address;
using boost::asio::ip::make_network_v4;
using boost::asio::ip::make_network_v6;

struct Row {
    const char* shows;
    const char* network;
    const char* source;
    bool allowed;
};

const Row rows[] = {
    {"inside", "10.0.0.0/8", "10.255.0.1", true},
    {"outside", "10.0.0.0/8", "11.0.0.1", false},
    {"a network's first address", "192.168.4.0/22", "192.168.4.0", true},
    {"a network's last address", "192.168.4.0/22", "192.168.7.255", true},
    {"one past the last", "192.168.4.0/22", "192.168.8.0", false},
    {"a single host", "192.0.2.7/32", "192.0.2.7", true},
    {"the host's neighbour", "192.0.2.7/32", "192.0.2.6", false},
    {"every IPv4 address", "0.0.0.0/0", "203.0.113.9", true},
    {"IPv4's everybody is not IPv6's", "0.0.0.0/0", "2001:db8::1", false},
    {"mapped, inside", "10.0.0.0/8", "::ffff:10.1.2.3", true},
    {"mapped, outside", "10.0.0.0/8", "::ffff:11.1.2.3", false},
    {"IPv6 inside", "fd00::/8", "fd12:3456::1", true},
    {"IPv6 outside", "fd00::/8", "fe80::1", false},
    {"IPv6 single host", "::1/128", "::1", true},
    {"IPv6 neighbour", "::1/128", "::2", false},
    {"a prefix within a byte", "2001:db8:8000::/33", "2001:db8:ffff::1", true},
    {"a prefix within a byte, outside", "2001:db8:8000::/33", "2001:db8:7fff::1", false},
    {"every IPv6 address", "::/0", "2001:db8::1", true},
    {"a mapped source is IPv4, also for IPv6's everybody", "::/0", "::ffff:10.1.2.3", false},
    {"link-local with its zone", "fe80::/10", "fe80::1%1", true},
};

AllowList list_of(const std::string& network) {
    AllowList list;
    if (network.find(':') == std::string::npos)
        list.v4.push_back(make_network_v4(network));
    else
        list.v6.push_back(make_network_v6(network));
    return list;
}

}  // namespace

TEST(AllowList, HoldsSourcesAgainstNetworks) {
    for (const Row& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_EQ(list_of(row.network).contains(make_address(row.source)), row.allowed);
    }
}

TEST(AllowList, AllowsNobodyWhenEmpty) {
    EXPECT_FALSE(AllowList{}.contains(make_address("127.0.0.1")));
    EXPECT_FALSE(AllowList{}.contains(make_address("::1")));
}

TEST(AllowList, LooksAtEveryNetwork) {
    const AllowList list{{make_network_v4("10.0.0.0/8"), make_network_v4("192.0.2.0/24")}, {}};
    EXPECT_TRUE(list.contains(make_address("192.0.2.1")));
}

}  // namespace wcs_node_agent
