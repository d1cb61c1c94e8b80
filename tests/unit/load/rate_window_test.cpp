// SPDX-License-Identifier: Apache-2.0
#include "load/rate_window.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::uint32_t, 1> eth0{2};

InterfaceCounters interface(std::uint32_t index, std::uint64_t in, std::uint64_t out) {
    return {.index = index, .name = "eth", .traffic = {.receive_bytes = in, .transmit_bytes = out}};
}

RawCounters reading(Clock::duration at, std::vector<InterfaceCounters> interfaces) {
    return {.at = Clock::time_point(100s) + at, .interfaces = std::move(interfaces), .cpus = {}};
}

using Bits = std::optional<double>;

struct Row {
    const char* shows;
    std::vector<RawCounters> readings;
    Bits bits_in;  // of the whole window
    Bits so_far;
};

TEST(RateWindow, CountsToRates) {
    auto began_anew = interface(2, 9000, 0);
    began_anew.since = Clock::time_point(101s);
    const std::vector<Row> rows{
        {"bytes over time, in bits",
         {reading(0s, {interface(2, 0, 0)}), reading(2s, {interface(2, 2000, 0)})},
         8000,
         {}},
        {"the mean over the window, not the last interval",
         {reading(0s, {interface(2, 0, 0)}), reading(1s, {interface(2, 1000, 0)}),
          reading(2s, {interface(2, 1000, 0)})},
         4000,
         {}},
        {"less than the window is no rate yet",
         {reading(0s, {interface(2, 0, 0)}), reading(1s, {interface(2, 1000, 0)})},
         {},
         8000},
        {"what is older than the window is forgotten",
         {reading(0s, {interface(2, 0, 0)}), reading(1s, {interface(2, 999999, 0)}),
          reading(2s, {interface(2, 999999, 0)}), reading(3s, {interface(2, 1000999, 0)})},
         4000,
         {}},
        {"a counter that went back: only what came since is known",
         {reading(0s, {interface(2, 5000, 5000)}), reading(1s, {interface(2, 10, 5100)}),
          reading(2s, {interface(2, 1010, 5200)})},
         {},
         8000},
        {"an interface that appears brings its history, which is not traffic of now",
         {reading(0s, {}), reading(1s, {interface(2, 1u << 30, 1u << 30)}),
          reading(2s, {interface(2, (1u << 30) + 500, 1u << 30)})},
         {},
         4000},
        {"an interface that vanished and came back",
         {reading(0s, {interface(2, 1000, 0)}), reading(1s, {}),
          reading(2s, {interface(2, 9000, 0)})},
         {},
         {}},
        {"counting that began anew, with a higher count",
         {reading(0s, {interface(2, 1000, 0)}), reading(2s, {began_anew})},
         {},
         {}},
        {"one that is not counted now is unknown",
         {reading(0s, {interface(2, 0, 0)}), reading(2s, {})},
         {},
         {}},
        {"others are not summed",
         {reading(0s, {interface(2, 0, 0), interface(3, 0, 0)}),
          reading(2s, {interface(2, 100, 0), interface(3, 70000, 0)})},
         400,
         {}},
        {"a process that was stopped for long: the true mean over the gap",
         {reading(0s, {interface(2, 0, 0)}), reading(250ms, {interface(2, 100, 0)}),
          reading(10s, {interface(2, 9850, 0)})},
         8000,
         {}},
        {"a reading of the same moment is passed over",
         {reading(0s, {interface(2, 0, 0)}), reading(2s, {interface(2, 1000, 0)}),
          reading(2s, {interface(2, 2000, 0)})},
         4000,
         {}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        RateWindow window(2s);
        for (const auto& one : row.readings) window.add(one);
        const auto rates = window.rates(eth0);
        EXPECT_EQ(rates.bits_in, row.bits_in);
        EXPECT_EQ(rates.so_far.bits_in, row.so_far);
        EXPECT_EQ(rates.bits_out.has_value(), row.bits_in.has_value());
    }
}

constexpr std::array<std::uint32_t, 2> both{2, 3};

TEST(RateWindow, WhatIsKnownOfASum) {
    RateWindow window(2s);
    window.add(reading(0s, {interface(2, 0, 0)}));
    window.add(reading(1s, {interface(2, 1000, 4000), interface(3, 0, 0)}));
    window.add(reading(2s, {interface(2, 2000, 8000), interface(3, 1000, 0)}));
    const auto rates = window.rates(both);
    EXPECT_FALSE(rates.bits_in);
    EXPECT_DOUBLE_EQ(rates.at_least.bits_in.value(), 8000) << "of the one counted throughout";
    EXPECT_DOUBLE_EQ(rates.at_least.bits_out.value(), 32000);
    EXPECT_DOUBLE_EQ(rates.so_far.bits_in.value(), 16000) << "of both, since both are counted";
    EXPECT_TRUE(rates.uncounted.empty());

    window.add(reading(3s, {interface(2, 3000, 0)}));
    EXPECT_EQ(window.rates(both).uncounted, std::vector<std::uint32_t>{3});
    EXPECT_FALSE(window.rates(both).so_far.bits_in) << "a part is not the sum";
    EXPECT_FALSE(window.rates({}).bits_in);
    EXPECT_FALSE(window.rates({}).so_far.bits_in) << "no interface selected";
}

/// Neither a jump by what it counted before, nor a mean that the time before dilutes.
TEST(RateWindow, ASelectionThatChangesIsSummedOverTheWholeWindow) {
    constexpr std::array<std::uint32_t, 1> eth1{3};
    RateWindow window(2s);
    window.add(reading(0s, {interface(2, 0, 0), interface(3, 7'000'000, 0)}));
    window.add(reading(1s, {interface(2, 1000, 0), interface(3, 7'001'000, 0)}));
    window.add(reading(2s, {interface(2, 1000, 0), interface(3, 7'004'000, 0)}));
    EXPECT_DOUBLE_EQ(window.rates(eth0).bits_in.value(), 4000);
    EXPECT_DOUBLE_EQ(window.rates(eth1).bits_in.value(), 16000);
    EXPECT_DOUBLE_EQ(window.rates(both).bits_in.value(), 20000);
}

/// Most of the readings are dropped, and the mean is over the window all the same.
/// A mean of the time in which it was missed, not a jump at the time when that was noticed.
TEST(RateWindow, WhatWasMissedIsOfTheTimeInWhichItWas) {
    RateWindow window(2s);
    for (int second = 0; second <= 3; ++second)
        window.add(reading(second * 1s, {interface(2, 0, 0)}));
    window.add_missed(2, {.receive_bytes = 4000}, Clock::time_point(100s), Clock::time_point(104s));
    window.add(reading(4s, {interface(2, 4000, 0)}));
    EXPECT_DOUBLE_EQ(window.rates(eth0).bits_in.value(), 8000);
    window.add(reading(5s, {interface(2, 5000, 0)}));
    EXPECT_DOUBLE_EQ(window.rates(eth0).bits_in.value(), 8000);
}

TEST(RateWindow, ManyReadings) {
    RateWindow window(2s);
    for (int ms = 0; ms <= 6000; ++ms) {
        const auto bytes = static_cast<std::uint64_t>(ms <= 3000 ? 0 : (ms - 3000) * 1000);
        window.add(reading(ms * 1ms, {interface(2, bytes, 0)}));
        const auto rates = window.rates(eth0);
        ASSERT_EQ(rates.bits_in.has_value(), ms >= 2000) << ms;
        if (!rates.bits_in) continue;
        const double true_mean = std::clamp((ms - 3000) * 4000.0, 0.0, 8e6);
        ASSERT_NEAR(*rates.bits_in, true_mean, 8e6 / 60) << ms;
    }
}

TEST(RateWindow, AWindowThatGrowsIsNotFullUntilItIs) {
    RateWindow window(1s);
    window.add(reading(0s, {interface(2, 0, 0)}));
    window.add(reading(1s, {interface(2, 1000, 0)}));
    EXPECT_TRUE(window.rates(eth0).bits_in);
    window.set_window(3s);
    window.add(reading(2s, {interface(2, 2000, 0)}));
    EXPECT_FALSE(window.rates(eth0).bits_in);
    EXPECT_DOUBLE_EQ(window.rates(eth0).so_far.bits_in.value(), 8000);
    window.add(reading(3s, {interface(2, 6000, 0)}));
    EXPECT_DOUBLE_EQ(window.rates(eth0).bits_in.value(), 16000);
}

/// Eight frames in and two out within two seconds.
TEST(RateWindow, WireOverheadIsAddedForEachFrame) {
    RateWindow window(2s);
    auto before = interface(2, 0, 0);
    auto after = interface(2, 2000, 1000);
    before.traffic.receive_packets = 100;
    after.traffic.receive_packets = 116;
    after.traffic.transmit_packets = 4;
    window.add(reading(0s, {before, interface(3, 0, 0)}));
    window.add(reading(2s, {after, interface(3, 0, 0)}));
    EXPECT_DOUBLE_EQ(*window.rates(eth0).bits_in, 8 * 1000) << "none by default";
    window.set_wire_overhead(24);
    EXPECT_DOUBLE_EQ(*window.rates(eth0).bits_in, 8 * (1000 + 8 * 24))
        << "also for what is gathered";
    EXPECT_DOUBLE_EQ(*window.rates(eth0).bits_out, 8 * (500 + 2 * 24));
}

TEST(RateWindow, UnknownIsAbsent) {
    RateWindow window(2s);
    EXPECT_FALSE(window.rates(eth0).bits_in);
    window.add(reading(0s, {interface(2, 0, 0)}));
    EXPECT_FALSE(window.rates(eth0).so_far.bits_in) << "one reading is no rate";
}

}  // namespace
}  // namespace wcs_node_agent
