// SPDX-License-Identifier: Apache-2.0
#include "load/peak_meter.hpp"

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr int second = 125;  // buckets of 8 ms

class PeakMeterTest : public testing::Test {
 protected:
    /// So many buckets, in each of which as many bytes and frames were received.
    void pass(int buckets, std::uint64_t bytes, std::uint64_t frames = 0) {
        meter_.add(
            {.length = 8ms,
             .over = std::vector<Traffic>(static_cast<std::size_t>(buckets),
                                          {.receive_bytes = bytes, .receive_packets = frames})});
    }
    std::optional<double> share_over(double bits_per_second) {
        return meter_.share_over(bits_per_second, directions[0]);
    }
    static constexpr double rate(double bytes) { return bytes * 8 / 0.008; }

    PeakMeter meter_;
};

TEST_F(PeakMeterTest, IsTheHighestOfTheLastSecond) {
    pass(second - 1, 1000);
    EXPECT_FALSE(meter_.peaks().bits_in) << "the second is not full";
    pass(1, 1000);
    EXPECT_DOUBLE_EQ(*meter_.peaks().bits_in, rate(1000));
    EXPECT_EQ(meter_.peaks().bucket, 8ms);
    pass(1, 50'000);  // 50 Mbit/s in a mean of 1.4
    EXPECT_DOUBLE_EQ(*meter_.peaks().bits_in, rate(50'000)) << "at once";
    pass(second - 1, 1000);
    EXPECT_DOUBLE_EQ(*meter_.peaks().bits_in, rate(50'000)) << "for a second";
    pass(1, 1000);
    EXPECT_DOUBLE_EQ(*meter_.peaks().bits_in, rate(1000)) << "and no longer";
    EXPECT_DOUBLE_EQ(*meter_.peaks().bits_out, 0) << "silence is known";
}

TEST_F(PeakMeterTest, DirectionsHaveTheirOwn) {
    meter_.add({.length = 8ms,
                .over = std::vector<Traffic>(second, {.receive_bytes = 1, .transmit_bytes = 2})});
    EXPECT_DOUBLE_EQ(*meter_.peaks().bits_in, rate(1));
    EXPECT_DOUBLE_EQ(*meter_.peaks().bits_out, rate(2));
    EXPECT_EQ(meter_.share_over(rate(1.5), directions[0]), 0);
    EXPECT_EQ(meter_.share_over(rate(1.5), directions[1]), 1);
}

TEST_F(PeakMeterTest, TheShareIsOfTheBucketsOfTheLastSecond) {
    pass(second - 1, 2000);
    EXPECT_FALSE(share_over(rate(1000))) << "the second is not full";
    pass(1, 2000);
    EXPECT_EQ(share_over(rate(1000)), 1);
    EXPECT_EQ(share_over(rate(2000)), 0) << "at the limit is not above it";
    pass(100, 500);
    EXPECT_DOUBLE_EQ(*share_over(rate(1000)), 25.0 / second);
    pass(25, 500);
    EXPECT_EQ(share_over(rate(1000)), 0);
}

TEST_F(PeakMeterTest, EachFrameHasItsOverhead) {
    meter_.set_wire_overhead(24);
    pass(second, 1000, 10);
    EXPECT_DOUBLE_EQ(*meter_.peaks().bits_in, rate(1240));
    EXPECT_EQ(share_over(rate(1239)), 1);
    EXPECT_EQ(share_over(rate(1241)), 0);
}

TEST_F(PeakMeterTest, OtherInterfacesBeginAnew) {
    pass(second, 50'000);
    meter_.restart();
    EXPECT_FALSE(meter_.peaks().bits_in);
    EXPECT_FALSE(share_over(1));
    pass(second, 1000);
    EXPECT_DOUBLE_EQ(*meter_.peaks().bits_in, rate(1000));
}

TEST_F(PeakMeterTest, BucketsOfEveryTickAreASecondTogether) {
    using nanoseconds = std::chrono::nanoseconds;
    for (const auto& [length, buckets] :
         {std::pair(nanoseconds(8ms), 125U), std::pair(nanoseconds(10ms), 100U),
          std::pair(nanoseconds(6'666'666), 150U)}) {
        PeakMeter meter;
        meter.add({.length = length, .over = std::vector<Traffic>(buckets - 1)});
        EXPECT_FALSE(meter.peaks().bits_in) << buckets;
        meter.add({.length = length, .over = std::vector<Traffic>(1)});
        EXPECT_TRUE(meter.peaks().bits_in) << buckets;
    }
}

}  // namespace
}  // namespace wcs_node_agent
