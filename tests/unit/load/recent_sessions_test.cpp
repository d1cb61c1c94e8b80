// SPDX-License-Identifier: Apache-2.0
#include "load/recent_sessions.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr auto period = 20s;

struct Step {
    std::chrono::nanoseconds at;
    SessionCounts counts;
};

struct Row {
    const char* shows;
    std::vector<Step> steps;
    std::chrono::nanoseconds at;
    double missing;
};

SessionCounts playing(double subscribers) { return {0, subscribers, 0}; }

TEST(RecentSessions, WhatCameLatelyIsMissing) {
    const std::vector<Row> rows{
        {"the first counts are of a node that is there already", {{0s, playing(50)}}, 0s, 0},
        {"what came just now is missing as a whole", {{0s, playing(50)}, {1s, playing(53)}}, 1s, 3},
        {"half of it after half of the period", {{0s, playing(50)}, {1s, playing(54)}}, 11s, 2},
        {"nothing at its end", {{0s, playing(50)}, {1s, playing(54)}}, 21s, 0},
        {"each has an age of its own",
         {{0s, playing(0)}, {0s, playing(4)}, {10s, playing(8)}},
         10s,
         2 + 4},
        {"counts of all kinds", {{0s, {1, 2, 3}}, {0s, {2, 4, 6}}}, 0s, 1 + 2 + 3},
        {"one kind grows while another falls: both are seen",
         {{0s, {10, 10, 0}}, {1s, {0, 20, 0}}},
         1s,
         10},
        {"a fall may be of any session, so of the recent ones it is their share",
         {{0s, playing(90)}, {1s, playing(100)}, {1s, playing(50)}},
         1s,
         5},
        {"who all came and went are not missing",
         {{0s, playing(0)}, {1s, playing(60)}, {2s, playing(0)}},
         2s,
         0},
        {"and a reconnect is new load",
         {{0s, playing(60)}, {30s, playing(0)}, {31s, playing(60)}},
         31s,
         60},
        {"an unknown count is no fall, and the next one a new beginning",
         {{0s, playing(50)}, {1s, {}}, {2s, playing(90)}},
         2s,
         0},
        {"a kind that the page lacks leaves the others",
         {{0s, {{}, 5, {}}}, {1s, {{}, 7, {}}}},
         1s,
         2},
        {"no count is below 0 or without bounds",
         {{0s, playing(5)}, {1s, playing(-5)}, {2s, playing(1e300)}, {3s, playing(std::nan(""))}},
         3s,
         0},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        RecentSessions recent;
        for (const auto& [at, counts] : row.steps) recent.observe(counts, at, period);
        EXPECT_NEAR(recent.missing(row.at, period), row.missing, 1e-9);
    }
}

TEST(RecentSessions, AnyRateOfArrivalsNeedsTheSameMemory) {
    for (const auto interval : {1ms, 100ms, 1000ms}) {
        SCOPED_TRACE(interval.count());
        RecentSessions recent;
        double subscribers = 0;
        const double each = 10 * std::chrono::duration<double>(interval).count();
        for (std::chrono::nanoseconds at{}; at < 60s; at += interval)
            recent.observe(playing(subscribers += each), at, period);
        EXPECT_NEAR(recent.missing(60s, period), 100, 6) << "10 a second, half of 20 s of them";
    }
}

TEST(RecentSessions, WithoutAPeriodNothingIsMissing) {
    RecentSessions recent;
    recent.observe(playing(0), 0s, 0s);
    recent.observe(playing(9), 1s, 0s);
    EXPECT_EQ(recent.missing(1s, 0s), 0);
    EXPECT_EQ(recent.missing(1s, period), 0) << "nor when it gets one";
}

}  // namespace
}  // namespace wcs_node_agent
