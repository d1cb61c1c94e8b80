// SPDX-License-Identifier: Apache-2.0
#include "kernel/bucket_reader.hpp"

#include "kernel/ticks.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

TEST(BucketShift, MakesBucketsOfAboutEightMilliseconds) {
    EXPECT_EQ(bucket_shift(1ms), 3);
    EXPECT_EQ(bucket_shift(4ms), 1);
    EXPECT_EQ(bucket_shift(10ms), 0);
    EXPECT_EQ(bucket_shift(std::chrono::nanoseconds(3'333'333)), 1);
}

TEST(Ticks, AreTheFirstThatTheHundredthsStandFor) {
    EXPECT_EQ(first_tick(7, 10ms), 7U);
    EXPECT_EQ(first_tick(7, 1ms), 70U);
    // ticks 0 1 2 3 4 5 of 4 ms: hundredths 0 0 0 1 1 2
    EXPECT_EQ(first_tick(0, 4ms), 0U);
    EXPECT_EQ(first_tick(1, 4ms), 3U);
    EXPECT_EQ(first_tick(2, 4ms), 5U);
}

TEST(Ticks, GoOnWithTheClock) {
    const auto before = ticks_so_far();
    const auto began = Clock::now();
    ASSERT_TRUE(before);
    while (Clock::now() - began < 50ms) continue;
    const auto passed = (*ticks_so_far() - *before) * tick_length();
    EXPECT_GE(passed, 50ms - ticks_coarseness - tick_length());
    EXPECT_LE(passed, Clock::now() - began + ticks_coarseness + tick_length());
}

/// Two CPUs whose buckets take 2 ticks of 4 ms.
class BucketReaderTest : public testing::Test {
 protected:
    /// The bucket that the kernel programs would add to.
    static traffic_bucket& at(traffic_bucket* ring, std::uint64_t tick) {
        const auto epoch = static_cast<std::uint32_t>(tick / 2);
        auto& bucket = ring[epoch % TRAFFIC_BUCKETS];
        if (bucket.epoch != epoch) bucket = {.epoch = epoch, .frames = 0, .bytes = 0};
        return bucket;
    }
    void receive(std::size_t cpu, std::uint64_t tick, std::int64_t bytes, std::int32_t frames = 1) {
        auto& bucket = at(rings_[cpu].receive, tick);
        bucket.bytes += bytes;
        bucket.frames += frames;
    }
    void transmit(std::size_t cpu, std::uint64_t tick, std::int64_t bytes, std::int32_t frames) {
        auto& bucket = at(rings_[cpu].transmit, tick);
        bucket.bytes += bytes;
        bucket.frames += frames;
    }
    std::vector<std::uint64_t> received(std::uint64_t ticks) {
        std::vector<std::uint64_t> bytes;
        const auto buckets = reader_.read(ticks, cpus_);
        for (const auto& bucket : buckets->over) bytes.push_back(bucket.receive_bytes);
        return bytes;
    }

    static constexpr std::uint64_t start = (1ULL << 33) - 100;  // epochs wrap soon after
    std::vector<traffic_rings> rings_{2};
    std::vector<unsigned> cpus_{0, 1};
    BucketReader reader_{rings_, 4ms};
};

using Bytes = std::vector<std::uint64_t>;

TEST_F(BucketReaderTest, GivesEachBucketOnceWhenItIsOver) {
    reader_.restart(start);
    const auto first = start + 4;  // start may be 2 ticks late, and its bucket is under way
    receive(0, first - 1, 1'000'000);
    receive(0, first, 100);
    receive(1, first + 1, 20);
    receive(1, first + 2, 7);
    EXPECT_EQ(received(first + 1), Bytes{});
    EXPECT_EQ(received(first + 2), Bytes{120}) << "both CPUs', and none before the start";
    receive(0, first + 3, 1);
    EXPECT_EQ(received(first + 3), Bytes{});
    EXPECT_EQ(received(first + 8), (Bytes{8, 0, 0})) << "silence has its buckets";
    EXPECT_EQ(reader_.read(first + 10, cpus_)->length, 8ms);
}

TEST_F(BucketReaderTest, NumbersOfBucketsWrap) {
    reader_.restart(start);
    for (auto tick = start + 4; tick < start + 204; tick += 2) receive(0, tick, 5);
    EXPECT_EQ(received(start + 204), Bytes(100, 5));
}

TEST_F(BucketReaderTest, OldRoundsAreNotRead) {
    reader_.restart(start);
    receive(0, start + 4, 999);
    EXPECT_EQ(received(start + 4 + 2 * 400), Bytes(240, 0)) << "as far as the ring reaches";
    receive(0, start + 4 + 2 * 400, 3);
    EXPECT_EQ(received(start + 4 + 2 * 401), Bytes{3});
}

TEST_F(BucketReaderTest, WhatIsDroppedOnAnotherCpuIsSubtractedFromTheSum) {
    reader_.restart(start);
    transmit(0, start + 4, 3000, 3);
    transmit(1, start + 4, -2000, -2);
    transmit(1, start + 6, -1000, -1);
    const auto over = reader_.read(start + 8, cpus_)->over;
    ASSERT_EQ(over.size(), 2U);
    EXPECT_EQ(over[0].transmit_bytes, 1000U);
    EXPECT_EQ(over[0].transmit_packets, 1U);
    EXPECT_EQ(over[1].transmit_bytes, 0U) << "never below zero";
    EXPECT_EQ(over[1].transmit_packets, 0U);
}

TEST_F(BucketReaderTest, WithoutAStartThereIsNothing) {
    EXPECT_FALSE(reader_.read(start, cpus_));
    reader_.restart(start);
    EXPECT_TRUE(reader_.read(start, cpus_));
    reader_.stop();
    EXPECT_FALSE(reader_.read(start + 10, cpus_));
}

}  // namespace
}  // namespace wcs_node_agent
