// SPDX-License-Identifier: Apache-2.0
#include "kernel/monotonic_traffic.hpp"

#include "kernel/monotonic.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr auto greatest = std::numeric_limits<std::uint64_t>::max();

TEST(Monotonic, OnlyIncreasesThatCanHaveBeenCount) {
    static_assert(credible_increase(5, 7, 10) == 2);
    static_assert(credible_increase(5, 5, 10) == 0);
    static_assert(credible_increase(5, 15, 10) == 10, "just possible");
    static_assert(credible_increase(5, 16, 10) == 0, "too much");
    static_assert(credible_increase(7, 5, 10) == 0, "fallen");
    static_assert(credible_increase(greatest, 3, 10) == 0, "wrapped: by how much nobody knows");
    static_assert(credible_start(1000) == 1000);
    static_assert(credible_start(greatest) == 0);
}

struct Step {
    std::uint64_t reading;
    std::uint64_t total;
    bool begins_anew;
    const char* what;
};

TEST(MonotonicTraffic, NeverFallsNorFreezes) {
    constexpr Step steps[] = {
        {1000, 1000, false, "the first reading is where it starts"},
        {1500, 1500, false, "grows"},
        {1500, 1500, false, "stands"},
        {20, 1500, true, "fell: a driver was reset"},
        {120, 1600, false, "goes on at once"},
        {greatest - 4, 1600, true, "an underflow: no wire carries that"},
        {greatest, 1604, false, "it goes on from there"},
        {7, 1604, true, "wrapped"},
        {1'000'000'000'007, 1'000'000'001'604, false, "what hardware kept for seconds"},
    };
    const Clock::time_point begin(1h);
    auto now = begin;
    MonotonicTraffic traffic({.transmit_bytes = 1000}, now);
    auto since = traffic.since();
    for (const auto& [reading, total, begins_anew, what] : steps) {
        traffic.advance({.transmit_bytes = reading}, now += 250ms);
        EXPECT_EQ(traffic.total().transmit_bytes, total) << what;
        EXPECT_EQ(traffic.since() != since, begins_anew) << what;
        since = traffic.since();
    }
    EXPECT_EQ(traffic.total().receive_bytes, 0u) << "each counter by itself";
}

TEST(MonotonicTraffic, AnAgeBetweenTwoReadings) {
    MonotonicTraffic traffic({}, Clock::time_point());
    traffic.advance({.receive_bytes = 1'000'000'000'000'000}, Clock::time_point(24h * 365 * 200));
    EXPECT_EQ(traffic.total().receive_bytes, 1'000'000'000'000'000u);
}

}  // namespace
}  // namespace wcs_node_agent
