// SPDX-License-Identifier: Apache-2.0
#include "kernel/time_namespace.hpp"

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

TEST(TimeNamespace, TheOffsetOfTheMonotonicClock) {
    struct Row {
        std::string_view text;
        std::chrono::nanoseconds offset;
    };
    for (const auto& [text, offset] : {
             Row{"monotonic           0         0\nboottime            0         0\n", 0ns},
             Row{"monotonic       -1500         0\nboottime            7         0\n", -1500s},
             Row{"boottime            7         0\nmonotonic        1500 500000000\n",
                 1500s + 500ms},
             Row{"monotonic          -2 500000000\n", -1500ms},
             Row{"boottime            7         0\n", 0ns},
             Row{"", 0ns},
         })
        EXPECT_EQ(parse_monotonic_offset(text), offset) << text;
}

TEST(TimeNamespace, ThisProcessHasOne) { EXPECT_TRUE(own_monotonic_offset()); }

}  // namespace
}  // namespace wcs_node_agent
