// SPDX-License-Identifier: Apache-2.0
#include "kernel/bucket_reader.hpp"

#include "kernel/ticks.hpp"
#include "kernel/traffic_sources.hpp"

#include <algorithm>
#include <atomic>

namespace wcs_node_agent {

namespace {

constexpr auto target = std::chrono::milliseconds(8);

/// So many of the oldest buckets are left alone: they may be reused while they are read.
constexpr std::uint64_t reused_soon = 16;

std::uint64_t within_zero(std::uint64_t sum) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, static_cast<std::int64_t>(sum)));
}

/// One bucket of one CPU, if it is still that of the epoch when it has been read.
void add(const traffic_bucket& bucket, std::uint64_t epoch, std::uint64_t& bytes,
         std::uint64_t& frames) {
    if (read_whole(bucket.epoch) != static_cast<std::uint32_t>(epoch)) return;
    std::atomic_thread_fence(std::memory_order_acquire);
    const auto more_bytes = read_whole(bucket.bytes);
    const auto more_frames = read_whole(bucket.frames);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (read_whole(bucket.epoch) != static_cast<std::uint32_t>(epoch)) return;
    bytes += static_cast<std::uint64_t>(more_bytes);
    frames += static_cast<std::uint64_t>(static_cast<std::int64_t>(more_frames));
}

}  // namespace

std::uint8_t bucket_shift(std::chrono::nanoseconds tick) {
    std::uint8_t shift = 0;
    const auto distance = [&](int more) { return std::chrono::abs(tick * (1 << more) - target); };
    while (distance(shift + 1) < distance(shift)) ++shift;
    return shift;
}

BucketReader::BucketReader(std::span<const traffic_rings> rings, std::chrono::nanoseconds tick)
    : rings_(rings), tick_(tick), shift_(bucket_shift(tick)) {}

void BucketReader::restart(std::uint64_t ticks) {
    const auto now_at_most = ticks + static_cast<std::uint64_t>(ticks_coarseness / tick_);
    next_ = (now_at_most >> shift_) + 1;
}

std::optional<TrafficBuckets> BucketReader::read(std::uint64_t ticks,
                                                 std::span<const unsigned> cpus) {
    if (!next_) return std::nullopt;
    TrafficBuckets buckets{.length = tick_ * (1 << shift_)};
    const auto end = ticks >> shift_;  // under way, or over already
    if (*next_ >= end) return buckets;
    const auto first = std::max(*next_, end - (TRAFFIC_BUCKETS - reused_soon));
    next_ = end;
    buckets.over.resize(end - first);
    for (const auto cpu : cpus) add_cpu(rings_[cpu], first, buckets.over);
    for (auto& bucket : buckets.over)
        for (const auto& counter : all_traffic_counters)
            bucket.*counter.value = within_zero(bucket.*counter.value);
    return buckets;
}

/// The sums are modulo 2^64: one CPU's part may be below zero.
void BucketReader::add_cpu(const traffic_rings& rings, std::uint64_t first,
                           std::span<Traffic> sums) const {
    auto epoch = first;
    for (auto& sum : sums) {
        const auto at = epoch % TRAFFIC_BUCKETS;
        add(rings.receive[at], epoch, sum.receive_bytes, sum.receive_packets);
        add(rings.transmit[at], epoch, sum.transmit_bytes, sum.transmit_packets);
        ++epoch;
    }
}

}  // namespace wcs_node_agent
