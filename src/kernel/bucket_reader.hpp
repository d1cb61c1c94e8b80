// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "counters.h"

#include <wcs_node_agent/raw_counters.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

namespace wcs_node_agent {

/// Which power of two of ticks is a bucket: the one nearest to 8 ms.
std::uint8_t bucket_shift(std::chrono::nanoseconds tick);

/// Reads the rings of buckets that the kernel programs fill, one bucket after the other.
class BucketReader {
 public:
    /// rings: one a possible CPU; tick: the kernel's.
    BucketReader(std::span<const traffic_rings> rings, std::chrono::nanoseconds tick);

    /// Begins with the first bucket that begins after this moment. ticks: ticks_so_far().
    void restart(std::uint64_t ticks);

    void stop() { next_.reset(); }

    /// The buckets that are over since the reading before, summed over CPUs, or the last of them if
    /// it was longer ago than the rings reach. None before restart(). ticks: ticks_so_far().
    /// cpus: the numbers of those that there are.
    std::optional<TrafficBuckets> read(std::uint64_t ticks, std::span<const unsigned> cpus);

 private:
    void add_cpu(const traffic_rings& rings, std::uint64_t first, std::span<Traffic> sums) const;

    std::span<const traffic_rings> rings_;
    std::chrono::nanoseconds tick_;
    std::uint8_t shift_;
    std::optional<std::uint64_t> next_;  // its number; none: not measuring
};

}  // namespace wcs_node_agent
