// SPDX-License-Identifier: Apache-2.0
#include <wcs_node_agent/utc_text.hpp>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

TEST(UtcText, IsOfTheSecondOrMillisecondThatHasBegun) {
    struct Row {
        std::chrono::nanoseconds since_1970;
        const char* seconds;
        const char* milliseconds;
    };
    const Row rows[] = {
        {0s, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
        {1795850400s + 7ms, "2026-11-28T07:20:00Z", "2026-11-28T07:20:00.007Z"},
        {1795850400s + 999'999'999ns, "2026-11-28T07:20:00Z", "2026-11-28T07:20:00.999Z"},
        {951782400s, "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
        {-1ms, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z"},
    };
    for (const auto& row : rows) {
        const std::chrono::system_clock::time_point time(row.since_1970);
        EXPECT_EQ(utc_text(time), row.seconds);
        EXPECT_EQ(utc_text_ms(time), row.milliseconds);
    }
}

}  // namespace
}  // namespace wcs_node_agent
