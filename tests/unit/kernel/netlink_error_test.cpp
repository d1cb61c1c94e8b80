// SPDX-License-Identifier: Apache-2.0
#include "kernel/netlink_error.hpp"

#include <gtest/gtest.h>
#include <netlink/errno.h>

namespace wcs_node_agent {
namespace {

TEST(NetlinkError, IsTheSystemsOfTheSameMeaning) {
    EXPECT_EQ(netlink_error(-NLE_NODEV), std::errc::no_such_device);
    EXPECT_EQ(netlink_error(NLE_NODEV), std::errc::no_such_device);
    EXPECT_EQ(netlink_error(-NLE_PERM), std::errc::operation_not_permitted);
    EXPECT_NE(netlink_error(-NLE_RANGE), std::errc::no_such_device);
    EXPECT_FALSE(netlink_error(0));
}

TEST(NetlinkError, HasTheWordsOfLibnl) {
    EXPECT_EQ(netlink_error(-NLE_RANGE).message(), nl_geterror(NLE_RANGE));
}

}  // namespace
}  // namespace wcs_node_agent
