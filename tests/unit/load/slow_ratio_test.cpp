// SPDX-License-Identifier: Apache-2.0
#include "load/slow_ratio.hpp"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr auto window = 5min;
constexpr double expected = 0.01;

SlowRatio after(std::chrono::nanoseconds time, const SlowRatio::Observation& steady,
                std::chrono::nanoseconds step = 250ms, SlowRatio ratio = {}) {
    for (std::chrono::nanoseconds passed{}; passed <= time; passed += step)
        ratio.observe(steady, step, window);
    return ratio;
}

TEST(SlowRatio, FewSessionsAreDrawnToWhatIsExpected) {
    struct Row {
        const char* shows;
        SlowRatio::Observation steady;
        double value;
    };
    const std::vector<Row> rows{
        {"none: as expected", {0, 0}, 0.01},
        {"an idle node's own load weighs as five sessions of the expected cost", {0.05, 0}, 0.02},
        {"as many as are few: half of each", {0.15, 5}, 0.02},
        {"many are believed", {0.6, 295}, 0.65 / 300},
        {"dear ones too", {0.6, 3}, 0.65 / 8},
        {"never nothing", {0, 1e12}, 1e-6},
        {"nor without bounds", {1e12, 0}, 1e6},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_NEAR(after(1s, row.steady).value(expected), row.value, 1e-9);
    }
}

TEST(SlowRatio, TheFirstFiguresAreBelievedAndLaterOnesByTheTimeConstant) {
    auto ratio = after(10min, {0.5, 95});
    EXPECT_NEAR(ratio.value(expected), 0.0055, 1e-6);
    ratio = after(window, {1.0, 95}, 250ms, ratio);
    EXPECT_NEAR(ratio.value(expected), (1 - 0.5 * 0.3679 + 0.05) / 100, 3e-5);
}

TEST(SlowRatio, TheStepDoesNotMatter) {
    const auto fine = after(3min, {1.0, 95}, 50ms, after(10min, {0.5, 95}, 50ms));
    const auto coarse = after(3min, {1.0, 95}, 2s, after(10min, {0.5, 95}, 2s));
    EXPECT_NEAR(fine.value(expected), coarse.value(expected), 1e-4);
}

TEST(SlowRatio, AStandstillOrWhatIsNoNumberIsHarmless) {
    auto ratio = after(10min, {0.5, 95});
    const double before = ratio.value(expected);
    ratio.observe({0.9, 1}, 24h, window);
    EXPECT_NEAR(ratio.value(expected), before, 0.03 * before) << "one observation is one";
    ratio = after(10min, {0.5, 95});
    ratio.observe({std::numeric_limits<double>::quiet_NaN(), 1}, 1s, window);
    ratio.observe({1, std::numeric_limits<double>::infinity()}, 1s, window);
    ratio.observe({0.5, 95}, -1h, window);
    EXPECT_NEAR(ratio.value(expected), before, 1e-9);
}

}  // namespace
}  // namespace wcs_node_agent
