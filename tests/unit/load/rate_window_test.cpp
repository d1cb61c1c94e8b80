// SPDX-License-Identifier: Apache-2.0
#include "load/rate_window.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::uint32_t, 1> eth0{2};

InterfaceCounters interface(std::uint32_t index, std::uint64_t in, std::uint64_t out) {
    return {.index = index, .name = "eth", .traffic = {.receive_bytes = in, .transmit_bytes = out}};
}

RawCounters reading(Clock::duration at, std::vector<InterfaceCounters> interfaces,
                    std::vector<CpuCounters> cpus = {}) {
    return {.at = Clock::time_point(100s) + at,
            .interfaces = std::move(interfaces),
            .cpus = std::move(cpus)};
}

CpuCounters cpu(unsigned number, std::chrono::nanoseconds busy) {
    return {.cpu = number, .busy = busy};
}

struct Row {
    const char* shows;
    std::vector<RawCounters> readings;
    double bits_in;
    double bits_out;
};

TEST(RateWindow, CountsToRates) {
    const std::vector<Row> rows{
        {"bytes over time, in bits",
         {reading(0s, {interface(2, 0, 0)}), reading(1s, {interface(2, 1000, 500)})},
         8000,
         4000},
        {"the mean over the window, not the last interval",
         {reading(0s, {interface(2, 0, 0)}), reading(1s, {interface(2, 1000, 0)}),
          reading(2s, {interface(2, 1000, 0)})},
         4000,
         0},
        {"what is older than the window is forgotten",
         {reading(0s, {interface(2, 0, 0)}), reading(1s, {interface(2, 999999, 0)}),
          reading(2s, {interface(2, 999999, 0)}), reading(3s, {interface(2, 1000999, 0)})},
         4000,
         0},
        {"a counter that starts anew adds nothing and never a negative rate",
         {reading(0s, {interface(2, 5000, 5000)}), reading(1s, {interface(2, 10, 5100)}),
          reading(2s, {interface(2, 1010, 5200)})},
         4000,
         800},
        {"an interface that appears brings its history, which is not traffic of now",
         {reading(0s, {}), reading(1s, {interface(2, 1u << 30, 1u << 30)}),
          reading(2s, {interface(2, (1u << 30) + 500, 1u << 30)})},
         2000,
         0},
        {"an interface that vanishes and comes back",
         {reading(0s, {interface(2, 1000, 0)}), reading(1s, {}),
          reading(2s, {interface(2, 9000, 0)})},
         0,
         0},
        {"others are not summed",
         {reading(0s, {interface(2, 0, 0), interface(3, 0, 0)}),
          reading(1s, {interface(2, 100, 0), interface(3, 70000, 0)})},
         800,
         0},
        {"a process that was stopped for long: the true mean over the gap",
         {reading(0s, {interface(2, 0, 0)}), reading(250ms, {interface(2, 100, 0)}),
          reading(10s, {interface(2, 9850, 0)})},
         8000,
         0},
        {"a reading of the same moment is passed over",
         {reading(0s, {interface(2, 0, 0)}), reading(1s, {interface(2, 1000, 0)}),
          reading(1s, {interface(2, 2000, 0)})},
         8000,
         0},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        RateWindow window(2s);
        for (const auto& one : row.readings) window.add(one, eth0);
        const auto rates = window.rates();
        ASSERT_TRUE(rates.bits_in && rates.bits_out);
        EXPECT_DOUBLE_EQ(*rates.bits_in, row.bits_in);
        EXPECT_DOUBLE_EQ(*rates.bits_out, row.bits_out);
    }
}

struct CpuRow {
    const char* shows;
    std::vector<RawCounters> readings;
    double utilisation;
};

TEST(RateWindow, BusyTimeToUtilisation) {
    const std::vector<CpuRow> rows{
        {"the mean over CPUs",
         {reading(0s, {}, {cpu(0, 0s), cpu(1, 0s)}), reading(1s, {}, {cpu(0, 1s), cpu(1, 0s)})},
         0.5},
        {"a CPU that goes offline leaves the mean",
         {reading(0s, {}, {cpu(0, 0s), cpu(1, 0s)}), reading(1s, {}, {cpu(0, 200ms)}),
          reading(2s, {}, {cpu(0, 400ms)})},
         0.2},
        {"a CPU that comes online counts from its second reading",
         {reading(0s, {}, {cpu(0, 0s)}), reading(1s, {}, {cpu(0, 0s), cpu(1, 500s)}),
          reading(2s, {}, {cpu(0, 0s), cpu(1, 501s)})},
         1.0 / 3},
        {"ticks that overshoot stay within what has passed",
         {reading(0s, {}, {cpu(0, 0s)}), reading(100ms, {}, {cpu(0, 110ms)})},
         1},
        {"a count that goes back is no negative load",
         {reading(0s, {}, {cpu(0, 5s)}), reading(1s, {}, {cpu(0, 4s)})},
         0},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        RateWindow window(2s);
        for (const auto& one : row.readings) window.add(one, eth0);
        ASSERT_TRUE(window.rates().cpu_utilisation);
        EXPECT_DOUBLE_EQ(*window.rates().cpu_utilisation, row.utilisation);
    }
}

/// Eight frames in and two out within a second.
TEST(RateWindow, WireOverheadIsAddedForEachFrame) {
    RateWindow window(2s);
    auto before = interface(2, 0, 0);
    auto after = interface(2, 1000, 500);
    before.traffic.receive_packets = 100;
    after.traffic.receive_packets = 108;
    after.traffic.transmit_packets = 2;
    window.add(reading(0s, {before, interface(3, 0, 0)}), eth0);
    window.add(reading(1s, {after, interface(3, 0, 0)}), eth0);
    EXPECT_DOUBLE_EQ(*window.rates().bits_in, 8 * 1000) << "none by default";
    window.set_wire_overhead(24);
    EXPECT_DOUBLE_EQ(*window.rates().bits_in, 8 * (1000 + 8 * 24)) << "also for what is gathered";
    EXPECT_DOUBLE_EQ(*window.rates().bits_out, 8 * (500 + 2 * 24));

    after.traffic.receive_packets = 3;
    after.traffic.receive_bytes = 2000;
    window.add(reading(2s, {after}), eth0);
    EXPECT_DOUBLE_EQ(*window.rates().bits_in, 8 * (2000 + 8 * 24) / 2.0)
        << "a count of frames that starts anew adds nothing";
}

TEST(RateWindow, UnknownIsAbsent) {
    RateWindow window(2s);
    EXPECT_FALSE(window.rates().bits_in);
    window.add(reading(0s, {interface(2, 0, 0)}, {cpu(0, 0s)}), eth0);
    EXPECT_FALSE(window.rates().bits_in) << "one reading is no rate";
    EXPECT_FALSE(window.rates().cpu_utilisation);
    window.add(reading(1s, {interface(2, 0, 0)}, {cpu(0, 0s)}), {});
    EXPECT_FALSE(window.rates().bits_in) << "no interface selected";
    EXPECT_TRUE(window.rates().cpu_utilisation);
}

TEST(RateWindow, ASelectionThatChangesAddsNoHistory) {
    RateWindow window(2s);
    constexpr std::array<std::uint32_t, 1> eth1{3};
    window.add(reading(0s, {interface(2, 0, 0), interface(3, 7'000'000, 0)}), eth0);
    window.add(reading(1s, {interface(2, 1000, 0), interface(3, 7'000'000, 0)}), eth0);
    window.add(reading(2s, {interface(2, 1000, 0), interface(3, 7'001'000, 0)}), eth1);
    EXPECT_DOUBLE_EQ(*window.rates().bits_in, 8000);
}

}  // namespace
}  // namespace wcs_node_agent
