// SPDX-License-Identifier: Apache-2.0
#include "load/hottest_cpu.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

RawCounters reading(std::chrono::milliseconds at, std::vector<CpuCounters> cpus) {
    RawCounters reading;
    reading.at = Clock::time_point(at);
    reading.cpus = std::move(cpus);
    return reading;
}

Rates rates_after(const std::vector<RawCounters>& readings) {
    HottestCpu hottest;
    for (const auto& one : readings) hottest.add(one);
    Rates rates;
    hottest.set(rates);
    return rates;
}

TEST(HottestCpu, IsTheBusiestOverTheWindow) {
    struct Row {
        const char* shows;
        std::vector<RawCounters> readings;
        std::optional<double> whole;
        std::optional<double> so_far;
    };
    const std::vector<Row> rows{
        {"one reading is no time", {reading(0s, {{0, 1s}})}, {}, {}},
        {"not the mean",
         {reading(0s, {{0, 0s}, {1, 5s}}), reading(10s, {{0, 1s}, {1, 14s}})},
         0.9,
         {}},
        {"less than the window", {reading(0s, {{0, 0s}}), reading(4s, {{0, 1s}})}, {}, 0.25},
        {"busy before the window",
         {reading(0s, {{0, 0s}}), reading(10s, {{0, 10s}}), reading(20s, {{0, 11s}})},
         0.1,
         {}},
        {"a CPU that came within the window is none of it",
         {reading(0s, {{0, 0s}}), reading(6s, {{0, 1s}, {1, 0s}}),
          reading(10s, {{0, 2s}, {1, 4s}})},
         0.2,
         {}},
        {"nor one that was away meanwhile",
         {reading(0s, {{0, 0s}, {1, 0s}}), reading(5s, {{0, 1s}}),
          reading(10s, {{0, 2s}, {1, 9s}})},
         0.2,
         {}},
        {"numbers have gaps",
         {reading(0s, {{2, 0s}, {7, 0s}}), reading(10s, {{2, 3s}, {7, 6s}})},
         0.6,
         {}},
        {"ticks can step beyond the time",
         {reading(0s, {{0, 0s}}), reading(10s, {{0, 11s}})},
         1,
         {}},
        {"a counter that went back is no time",
         {reading(0s, {{0, 9s}, {1, 0s}}), reading(10s, {{0, 1s}, {1, 2s}})},
         0.2,
         {}},
        {"no CPU is known", {reading(0s, {}), reading(10s, {})}, {}, {}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto rates = rates_after(row.readings);
        EXPECT_EQ(rates.cpu_max_utilisation, row.whole);
        EXPECT_EQ(rates.so_far.cpu_max_utilisation, row.so_far);
    }
}

/// Sampled four times a second, the window stays 10 s to 11 s long.
TEST(HottestCpu, KeepsOneReadingASecond) {
    HottestCpu hottest;
    Rates rates;
    for (auto at = 0ms; at <= 60s; at += 250ms) {
        // Idle for 40 s, then full.
        hottest.add(reading(at, {{0, std::max<std::chrono::nanoseconds>(at - 40s, 0s)}}));
        rates = {};
        hottest.set(rates);
        if (at == 45s) {
            EXPECT_NEAR(*rates.cpu_max_utilisation, 0.5, 0.05);
        }
    }
    EXPECT_EQ(rates.cpu_max_utilisation, 1);
}

}  // namespace
}  // namespace wcs_node_agent
