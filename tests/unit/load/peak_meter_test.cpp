// SPDX-License-Identifier: Apache-2.0
#include "load/peak_meter.hpp"

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

class PeakMeterTest : public testing::Test {
 protected:
    /// A reading so long after the start of a second, with so many more bytes and frames received.
    void read(Clock::duration after, std::uint64_t bytes, std::uint64_t frames = 0) {
        totals_.at = start_ + after;
        totals_.traffic.receive_bytes += bytes;
        totals_.traffic.receive_packets += frames;
        meter_.add(totals_);
    }
    /// A second of readings every 10 ms with as many bytes each, from that offset on.
    void steady(Clock::duration from, std::uint64_t bytes) {
        for (auto after = 0ms; after < 1s; after += 10ms) read(from + after, bytes);
    }
    std::optional<double> peak(Clock::duration after) {
        return meter_.peaks(start_ + after).bits_in;
    }

    const Clock::time_point start_{1000s};
    TrafficTotals totals_;
    PeakMeter meter_;
};

TEST_F(PeakMeterTest, IsTheHighestOfTheLastWholeSecond) {
    steady(0ms, 1000);
    EXPECT_FALSE(peak(999ms)) << "the second is not over";
    steady(1s, 1000);
    EXPECT_DOUBLE_EQ(*peak(1999ms), 1000 * 8 / 0.01);
    read(2s, 1000);
    read(2s + 10ms, 50'000);  // a burst of 10 ms: 40 Mbit/s in a mean of 0.8
    for (auto after = 20ms; after < 1s; after += 10ms) read(2s + after, 1000);
    EXPECT_DOUBLE_EQ(*peak(2999ms), 1000 * 8 / 0.01) << "reported when its second is over";
    steady(3s, 1000);
    EXPECT_DOUBLE_EQ(*peak(3999ms), 50'000 * 8 / 0.01);
    steady(4s, 1000);
    EXPECT_DOUBLE_EQ(*peak(4999ms), 1000 * 8 / 0.01) << "and forgotten with the next";
}

TEST_F(PeakMeterTest, ALateReadingIsAMeanOverItsTime) {
    read(0ms, 0);
    read(40ms, 4000);
    read(43ms, 4000);  // on the grid again, but too soon: its bytes go into the next
    read(60ms, 1000);
    steady(1s, 0);
    EXPECT_DOUBLE_EQ(*peak(1990ms), 5000 * 8 / 0.02);
}

TEST_F(PeakMeterTest, EachFrameHasItsOverhead) {
    meter_.set_wire_overhead(24);
    read(0ms, 0);
    read(10ms, 1000, 10);
    steady(1s, 0);
    EXPECT_DOUBLE_EQ(*peak(1990ms), 1240 * 8 / 0.01);
}

TEST_F(PeakMeterTest, OtherInterfacesAreNoBurst) {
    read(0ms, 0);
    read(10ms, 1000);
    meter_.restart();
    read(20ms, 1'000'000'000);  // the counters of another interface
    read(30ms, 1000);
    steady(1s, 0);
    EXPECT_DOUBLE_EQ(*peak(1990ms), 1000 * 8 / 0.01);
}

TEST_F(PeakMeterTest, NeverBelowZero) {
    read(0ms, 1000);
    totals_.traffic.transmit_bytes = 5000;
    read(10ms, 0);
    totals_.traffic.transmit_bytes = 4000;  // dropped by the queueing discipline, and subtracted
    read(20ms, 0);
    steady(1s, 0);
    EXPECT_DOUBLE_EQ(*meter_.peaks(start_ + 1990ms).bits_out, 5000 * 8 / 0.01);
}

TEST_F(PeakMeterTest, WhatWasNotReadForLongIsUnknown) {
    steady(0ms, 1000);
    steady(1s, 1000);
    EXPECT_TRUE(peak(2500ms));
    EXPECT_FALSE(peak(3s)) << "nothing was read for a second";
    steady(5s, 1000);
    EXPECT_FALSE(peak(5999ms)) << "the second before was not measured";
    steady(6s, 1000);
    EXPECT_TRUE(peak(6999ms));
}

}  // namespace
}  // namespace wcs_node_agent
