// SPDX-License-Identifier: Apache-2.0
#include "cli/top/status_history.hpp"

#include <cstdint>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

Json reading(double uptime, std::int64_t bytes, double busy = 0, double utilisation = 0) {
    return {{"uptime_seconds", uptime},
            {"interfaces", Json::array({{{"name", "eth0"}, {"receive_bytes", bytes}}})},
            {"cpus", Json::array({{{"cpu", 3}, {"busy_seconds", busy}}})},
            {"limits", {{"cpu", {{"utilisation", utilisation}}}}}};
}

/// 1,000 bytes a second for 70 s, then 3,000 for 5 s; the CPU is busy for a quarter of it.
StatusHistory some_minutes() {
    StatusHistory history;
    std::int64_t bytes = 5000;
    for (int second = 0; second <= 75; ++second) {
        history.add(reading(100 + second, bytes, second * 0.25));
        bytes += second < 70 ? 1000 : 3000;
    }
    return history;
}

TEST(StatusHistory, RatesAreOverTheWindow) {
    const auto history = some_minutes();
    EXPECT_EQ(history.rate("eth0", "receive_bytes", 2), 3000);
    EXPECT_EQ(history.rate("eth0", "receive_bytes", 10), 2000);
    EXPECT_NEAR(history.rate("eth0", "receive_bytes", 60).value(), (55 * 1000 + 5 * 3000) / 60.0,
                1e-9);
    EXPECT_EQ(history.busy(3, 10), 0.25);
    EXPECT_EQ(history.busy(0, 10), std::nullopt) << "no such CPU";
    EXPECT_EQ(history.rate("eth1", "receive_bytes", 2), std::nullopt);
    EXPECT_EQ(history.rate("eth0", "transmit_bytes", 2), std::nullopt);
}

TEST(StatusHistory, ThereIsNoRateOfWhatWasNotWatchedSoLong) {
    StatusHistory history;
    EXPECT_EQ(history.rate("eth0", "receive_bytes", 2), std::nullopt);
    history.add(reading(10, 0));
    history.add(reading(11.95, 100));  // two seconds, asked a little early
    EXPECT_TRUE(history.rate("eth0", "receive_bytes", 2));
    EXPECT_EQ(history.rate("eth0", "receive_bytes", 10), std::nullopt);
}

TEST(StatusHistory, AnotherAgentBeginsAnew) {
    StatusHistory history;
    history.add(reading(10, 5000, 0, 0.5));
    history.add(reading(12, 6000, 0, 0.5));
    history.add(reading(1, 6500, 0, 0.25));
    EXPECT_EQ(history.rate("eth0", "receive_bytes", 2), std::nullopt);
    EXPECT_EQ(history.plot("cpu", 3, 6), (std::vector<std::optional<double>>{{}, {}, 0.25}));
}

TEST(StatusHistory, ACounterThatFellHasNoRate) {
    StatusHistory history;
    history.add(reading(10, 5000));
    history.add(reading(12, 400));  // another interface of that name
    EXPECT_EQ(history.rate("eth0", "receive_bytes", 2), std::nullopt);
}

TEST(StatusHistory, OneSampleReadTwiceIsOne) {
    StatusHistory history;
    history.add(reading(10, 0));
    history.add(reading(12, 2000));
    history.add(reading(12, 2000));
    EXPECT_EQ(history.rate("eth0", "receive_bytes", 2), 1000);
}

TEST(StatusHistory, APlotHasTheHighestOfEachColumn) {
    StatusHistory history;
    for (int second = 0; second < 18; ++second)
        history.add(reading(second, 0, 0, second == 7 ? 0.9 : 0.1));
    EXPECT_EQ(history.plot("cpu", 5, 6),
              (std::vector<std::optional<double>>{{}, {}, 0.1, 0.9, 0.1}));
    EXPECT_EQ(history.plot("hls", 2, 6), (std::vector<std::optional<double>>(2)));
    EXPECT_TRUE(history.plot("cpu", 0, 6).empty());
}

TEST(StatusHistory, PlotsBeginWithWhatTheAgentKept) {
    const Json kept{{"interval_seconds", 1},
                    {"series",
                     {{"cpu_utilisation", {0.45, nullptr, 0.9}},
                      {"band_out_bytes_per_second", {1e6, 2e6, 3e6}},
                      {"publishers", {1, 2, 3}}}}};
    const Json status{{"uptime_seconds", 100},
                      {"limits",
                       {{"cpu", {{"maximum", 90}}},
                        {"band_out", {{"maximum", 32}}},
                        {"publishers", {{"maximum", nullptr}}}}}};
    StatusHistory history;
    history.begin(kept, status);
    history.add(reading(101, 0, 0, 0.25));
    using Plot = std::vector<std::optional<double>>;
    EXPECT_EQ(history.plot("cpu", 5, 1), (Plot{0.5, {}, 1, {}, 0.25}));
    EXPECT_EQ(history.plot("band_out", 5, 1), (Plot{0.25, 0.5, 0.75, {}, {}}));
    EXPECT_EQ(history.plot("publishers", 2, 9), Plot(2)) << "of no limit";
    history.begin({}, status);
    EXPECT_EQ(history.plot("cpu", 1, 60), (Plot{1})) << "an agent that keeps none";
}

TEST(StatusHistory, WhatIsNoStatusChangesNothing) {
    StatusHistory history;
    for (const auto* text :
         {"null", "[]", "{}", R"({"uptime_seconds": "x"})",
          R"({"uptime_seconds": 1, "interfaces": [1, {"name": 2}], "cpus": {}, "limits": []})"}) {
        SCOPED_TRACE(text);
        history.add(Json::parse(text));
        EXPECT_EQ(history.rate("eth0", "receive_bytes", 2), std::nullopt);
    }
}

}  // namespace
}  // namespace wcs_node_agent
