// SPDX-License-Identifier: Apache-2.0
#include <wcs_node_agent/result.hpp>

#include <cerrno>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

TEST(Failure, SaysWhatAndWhyAndKeepsTheCode) {
    const auto error = failure("eth0", ENODEV);
    EXPECT_EQ(error.what, "eth0: No such device");
    EXPECT_EQ(error.code, std::errc::no_such_device);
    EXPECT_NE(error.code, std::errc::operation_not_permitted);
    EXPECT_FALSE(Error{"a wrong value"}.code) << "where the system gave no reason";
}

}  // namespace
}  // namespace wcs_node_agent
