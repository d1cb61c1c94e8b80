// SPDX-License-Identifier: Apache-2.0
#include "cli/check.hpp"

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

TEST(LookLength, EndsAnIntervalAfterTheStart) {
    struct Row {
        const char* shows;
        std::chrono::nanoseconds passed;
        std::chrono::nanoseconds length;
    };
    const Row rows[] = {
        {"at once", 0ms, 250ms},
        {"what has passed is a part of it", 90ms, 160ms},
        {"at least half of it", 125ms, 125ms},
        {"however long a busy machine took", 10s, 125ms},
    };
    for (const auto& row : rows) EXPECT_EQ(look_length(250ms, row.passed), row.length) << row.shows;
}

}  // namespace
}  // namespace wcs_node_agent
