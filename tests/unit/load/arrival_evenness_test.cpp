// SPDX-License-Identifier: Apache-2.0
#include "load/arrival_evenness.hpp"

#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr auto period = 10s;

/// come: how many sessions within each second.
ArrivalEvenness after(std::chrono::seconds length, const std::function<double(int)>& come) {
    ArrivalEvenness evenness;
    for (int second = 0; second < length.count(); ++second)
        evenness.observe(come(second), second * 1s, period);
    return evenness;
}

TEST(ArrivalEvenness, IsTheVarianceOfWhatComesByItsMean) {
    std::mt19937 chance(1);
    std::poisson_distribution<int> poisson(0.3);
    const auto by_turns = [](int second) { return second % 3 == 0 ? 1.0 : 0.0; };
    const auto by_chance = [&](int) { return static_cast<double>(poisson(chance)); };
    struct Row {
        const char* shows;
        std::chrono::seconds length;
        std::function<double(int)> come;
        double dispersion, tolerance, value;
    };
    const std::vector<Row> rows{
        {"nobody came", 1h, [](int) { return 0.0; }, 1, 0, 0},
        {"a few: not yet sure", 25s, by_turns, 0.77, 0.02, 0.65},
        {"one by one, at even distances", 1h, by_turns, 0.11, 0.02, 1},
        {"by chance", 1h, by_chance, 1.1, 0.25, 0},
        {"by chance of another course", 1h, by_chance, 1.1, 0.25, 0},
        {"six at once, or none", 1h, [](int second) { return second % 20 == 0 ? 6.0 : 0.0; }, 3.2,
         0.2, 0},
        {"more and more, at even distances", 1h,
         [](int second) { return (second * (second + 3600) / 10000) % 2; }, 0.1, 0.02, 1},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto evenness = after(row.length, row.come);
        EXPECT_NEAR(evenness.dispersion(), row.dispersion, row.tolerance);
        EXPECT_NEAR(evenness.value(), row.value, 0.05);
    }
}

TEST(ArrivalEvenness, OneCrowdDecidesNothing) {
    const auto by_turns = [](int second) { return second % 3 == 0 ? 1.0 : 0.0; };
    const auto crowd = [&](int second) { return second == 3590 ? 1e6 : by_turns(second); };
    EXPECT_EQ(after(1h, crowd).value(), 1);
}

TEST(ArrivalEvenness, AfterTwentyMinutesAnotherAlgorithmShows) {
    const auto changed = [](int second) {
        return second < 3600 ? (second % 3 == 0 ? 1.0 : 0.0) : (second % 20 == 0 ? 6.0 : 0.0);
    };
    EXPECT_EQ(after(1h, changed).value(), 1);
    EXPECT_EQ(after(1h + 20min, changed).value(), 0);
}

TEST(ArrivalEvenness, WhatItCannotSeeItLeavesOut) {
    auto evenness = after(1h, [](int second) { return second % 3 == 0 ? 1.0 : 0.0; });
    const auto before = evenness.dispersion();
    evenness.observe(100, 1h, 0s);
    EXPECT_EQ(evenness.dispersion(), before) << "switched off";
    evenness.interrupt();
    evenness.observe(500, 3h, period);
    EXPECT_EQ(evenness.dispersion(), before) << "what came while the node got none";
    evenness.observe(3, 3h + 9s, period);
    EXPECT_EQ(evenness.dispersion(), before) << "the period is not over";
    evenness.observe(0, 3h + 10s, period);
    EXPECT_LT(evenness.dispersion(), before) << "a period like those before";
}

}  // namespace
}  // namespace wcs_node_agent
