// SPDX-License-Identifier: Apache-2.0
#include "load/slow_mean.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

struct Part {
    double value;
    std::chrono::nanoseconds length, step = 250ms;
};

double mean_of(const std::vector<Part>& parts, std::chrono::nanoseconds window) {
    SlowMean mean;
    for (const auto& [value, length, step] : parts)
        for (auto passed = 0ns; passed < length; passed += step) mean.observe(value, step, window);
    return mean.value();
}

TEST(SlowMean, ForgetsByItsWindow) {
    struct Row {
        const char* shows;
        std::vector<Part> parts;
        std::chrono::nanoseconds window;
        double mean;
    };
    const double e = std::exp(-1);
    const std::vector<Row> rows{
        {"nothing was seen", {}, 20s, 0},
        {"the first is believed", {{0.5, 250ms}}, 20s, 0.5},
        {"until the window is full each moment counts alike", {{0, 5s}, {1, 5s}}, 20s, 0.47},
        {"later a window leaves 1/e of what was", {{1, 200s}, {0, 20s}}, 20s, e},
        {"whatever the steps are", {{1, 200s, 1s}, {0, 20s, 2s}}, 20s, e},
        {"after a standstill the first counts for 5 s",
         {{1, 200s}, {0, 1h, 1h}},
         20s,
         std::exp(-0.25)},
        {"with no window it is what was seen last", {{1, 200s}, {0.25, 250ms}}, 0s, 0.25},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_NEAR(mean_of(row.parts, row.window), row.mean, 0.03);
    }
}

TEST(SlowMean, WhatIsNoNumberOrTakesNoTimeIsHarmless) {
    SlowMean mean;
    mean.observe(std::nan(""), 1s, 20s);
    EXPECT_EQ(mean.value(), 0);
    mean.observe(0.5, 1s, 20s);
    mean.observe(std::numeric_limits<double>::infinity(), 1s, 20s);
    mean.observe(100, 0s, 20s);
    mean.observe(100, -5s, 20s);
    EXPECT_EQ(mean.value(), 0.5);
}

}  // namespace
}  // namespace wcs_node_agent
