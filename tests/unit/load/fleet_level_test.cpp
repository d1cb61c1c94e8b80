// SPDX-License-Identifier: Apache-2.0
#include "load/fleet_level.hpp"

#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr auto settled = 15min;

/// A node of which all is known, in fractions of sessions: one that stands at `used`, where a
/// session takes a hundredth and stays for 300 s.
FleetLevel::Moment standing(double used, double idle_percent = 100) {
    const double sessions = 100 * used;
    const double change = sessions / 300;
    return {.used = used,
            .sessions = sessions,
            .change = {.came = change, .left = change},
            .percent = idle_percent * (1 - used),
            .idle_percent = idle_percent};
}

void see(FleetLevel& level, const FleetLevel::Moment& moment, std::chrono::seconds length) {
    for (auto passed = 0s; passed < length; passed += 1s)
        level.observe(moment, 1s, {.arrivals = 50s, .sessions = 30min});
}

TEST(FleetLevel, FollowsWhatComesForAPercent) {
    struct Row {
        const char* shows;
        double used;
        double idle_percent;
        std::function<void(FleetLevel::Moment&)> change;
        std::chrono::seconds length;
        double level;
    };
    using Moment = FleetLevel::Moment;
    const auto rises = [](Moment& now) { now.used += 0.1; };
    const auto half = [](Moment& now) { now.percent /= 2, now.change.came /= 2; };
    const auto rush = [](Moment& now) { now.change.came *= 2; };
    const auto join = [](Moment& now) { now.change.came /= 4; };
    const std::vector<Row> rows{
        {"a fleet that stands", 0.8, 100, [](Moment&) {}, 1h, 0.8},
        {"one that has little to do", 0.1, 100, [](Moment&) {}, 1h, 0.1},
        {"the load of this node is none of the others'", 0.8, 100, rises, 5min, 0.8},
        {"nor is its weight", 0.8, 100, half, 5min, 0.8},
        {"twice as much comes to all", 0.5, 100, rush, 20min, 2 / 3.0},
        {"not at once", 0.5, 100, rush, 10s, 0.5},
        {"another node of two joins: a fourth", 0.8, 100, join, 10min, 0.5},
        {"a node four times the reference", 0.8, 400, [](Moment&) {}, 1h, 0.8},
        {"twice as much comes to its fleet", 0.5, 400, rush, 20min, 2 / 3.0},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        FleetLevel level;
        auto now = standing(row.used, row.idle_percent);
        see(level, now, 3h);
        row.change(now);
        see(level, now, row.length);
        EXPECT_NEAR(level.value(settled).value_or(-1), row.level, 0.02);
    }
}

TEST(FleetLevel, BeginsAtWhatTheNodeHas) {
    FleetLevel level;
    see(level, standing(0.3), 1h);
    level.interrupt();
    EXPECT_FALSE(level.value(settled));
    auto now = standing(0.7);
    see(level, now, 1s);
    EXPECT_NEAR(level.value(settled).value_or(-1), 0.7, 0.01);
    auto rush = standing(0.3);
    rush.change.came *= 8;
    see(level, rush, 10min);
    level.interrupt();
    see(level, standing(0.3), 20s);
    EXPECT_NEAR(level.value(settled).value_or(-1), 0.3, 0.03) << "what came before is gone";
}

TEST(FleetLevel, IsNoneWhileItCannotBeKnown) {
    FleetLevel level;
    EXPECT_FALSE(level.value(0s)) << "nothing was seen";
    see(level, standing(0.5), settled - 1s);
    EXPECT_FALSE(level.value(settled));
    see(level, standing(0.5), 1s);
    EXPECT_TRUE(level.value(settled));
    FleetLevel lasting;
    auto nobody_leaves = standing(0.5);
    nobody_leaves.change.left = 0;
    see(lasting, nobody_leaves, 1h);
    EXPECT_FALSE(lasting.value(settled)) << "how long a session stays is not known";
    FleetLevel idle;
    see(idle, {.change = {}, .percent = 100, .idle_percent = 100}, 1h);
    EXPECT_FALSE(idle.value(settled)) << "there are none";
}

TEST(FleetLevel, WhoIsAboveItGivesUpSixteenPercentForEach) {
    struct Row {
        double above, share;
    };
    for (const auto& [above, share] :
         {Row{0, 0}, {0.01, 0.16}, {-0.01, -0.16}, {0.04, 0.64}, {0.1, 0.75}, {-0.1, -0.75}}) {
        SCOPED_TRACE(above);
        EXPECT_DOUBLE_EQ(share_given_up(above), share);
    }
}

TEST(FleetLevel, IsAUtilisationWhateverIsSeen) {
    std::mt19937 chance(3);
    std::uniform_real_distribution<double> any(0, 1);
    FleetLevel level;
    for (int i = 0; i < 100'000; ++i) {
        level.observe({.used = 2 * any(chance),
                       .sessions = std::floor(100 * any(chance)),
                       .change = {.came = 1e6 * any(chance), .left = 1e3 * any(chance)},
                       .percent = 1 + 255 * any(chance),
                       .idle_percent = 1e-3 + 1e4 * any(chance)},
                      std::chrono::milliseconds(static_cast<int>(20'000 * any(chance))),
                      {.arrivals = 50s, .sessions = 30min});
        const auto value = level.value(0s);
        if (!value) continue;
        ASSERT_GE(*value, 0);
        ASSERT_LE(*value, 1);
    }
    EXPECT_TRUE(level.value(0s));
}

}  // namespace
}  // namespace wcs_node_agent
