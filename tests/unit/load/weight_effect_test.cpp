// SPDX-License-Identifier: Apache-2.0
#include "load/weight_effect.hpp"

#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr auto period = 10s;
constexpr auto window = 30min;

/// A node whose weight goes up and down by turns of a period. come: how many sessions, by whether
/// the weight rose.
WeightEffect after(int periods, const std::function<double(bool)>& come, int low = 20,
                   int high = 21) {
    WeightEffect effect;
    auto now = 0ns;
    for (int i = 0; i < periods; ++i) {
        const bool rose = i % 2 == 1;
        const int percent = rose ? high : low;
        const double came = come(rose);
        effect.observe(percent, 0, now, period, window);
        effect.observe(percent, came, now + 1s, period, window);
        now += period;
    }
    return effect;
}

TEST(WeightEffect, IsWhatComesAfterTheWeightRoseByWhatComesAfterItFell) {
    struct Row {
        const char* shows;
        int periods;
        std::function<double(bool)> come;
        double ratio, tolerance, strength;
    };
    const auto alike = [](bool) { return 3.0; };
    const auto all_or_none = [](bool rose) { return rose ? 20.0 : 0.0; };
    const std::vector<Row> rows{
        {"nothing was seen", 0, alike, 1.45, 0, 0},
        {"of one change nothing is known", 3, alike, 1.4, 0.06, 0},
        {"a share of those that come: as many after each", 400, alike, 1, 0.03, 0},
        {"five in a hundred more", 400, [](bool rose) { return rose ? 3.15 : 3; }, 1.05, 0.03, 0},
        {"more than that", 400, [](bool rose) { return rose ? 3 : 1.5; }, 2, 0.06, 1},
        {"all or none", 400, all_or_none, 30, 15, 1},
        {"nobody comes", 400, [](bool) { return 0.0; }, 1.45, 0, 0},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto effect = after(row.periods, row.come);
        EXPECT_NEAR(effect.ratio(), row.ratio, row.tolerance);
        EXPECT_NEAR(effect.strength(), row.strength, 0.3);
    }
}

TEST(WeightEffect, AWeightThatStandsShowsNothing) {
    const auto effect = after(
        400, [](bool rose) { return rose ? 10 : 1; }, 20, 20);
    EXPECT_EQ(effect.ratio(), WeightEffect::undecided);
    EXPECT_EQ(effect.strength(), 0);
}

TEST(WeightEffect, OneCrowdDecidesNothing) {
    int at = 0;
    const auto effect = after(400, [&](bool) { return ++at == 398 ? 1e6 : 3.0; });
    EXPECT_NEAR(effect.ratio(), 1.05, 0.05);
}

TEST(WeightEffect, WhatWasSeenIsForgotten) {
    auto effect = after(400, [](bool rose) { return rose ? 20 : 0; });
    ASSERT_EQ(effect.strength(), 1);
    auto now = 400 * period + 0ns;
    for (int i = 0; i < 800; ++i, now += period) effect.observe(20 + i % 2, 3, now, period, window);
    EXPECT_EQ(effect.strength(), 0) << "another algorithm in HAProxy";
}

TEST(WeightEffect, WhatItCannotKnowItLeavesOut) {
    WeightEffect effect;
    const auto see = [&](int percent, double came, std::chrono::seconds at) {
        effect.observe(percent, came, at, period, window);
    };
    see(20, 0, 0s);
    see(21, 0, 10s);
    effect.interrupt();
    see(20, 100, 40s);
    see(20, 100, 50s);
    EXPECT_EQ(effect.ratio(), WeightEffect::undecided) << "between two ups nothing fell";
    for (int i = 0; i < 100; ++i) effect.observe(20 + i % 2, 1, i * 1h, 0s, window);
    EXPECT_EQ(effect.ratio(), WeightEffect::undecided) << "switched off";
}

}  // namespace
}  // namespace wcs_node_agent
