// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

namespace wcs_node_agent {

/// What the mean over a window hides: the highest rate within the last second, bucket by bucket,
/// and the share of them above a limit. Media is lost in bursts.
class PeakMeter {
 public:
    /// Bytes that each frame takes on the wire beside those counted.
    void set_wire_overhead(std::size_t bytes) { wire_overhead_ = bytes; }

    /// The buckets that follow those added before.
    void add(const TrafficBuckets& buckets);

    /// Begins anew, as when the buckets are of other interfaces from now on.
    void restart() { last_second_.clear(); }

    /// Absent until a second is full. Without the shares, which need limits.
    Peaks peaks() const;

    /// Share (0..1) of the last second's buckets whose rate was above the limit (bit/s); absent
    /// until a second is full.
    std::optional<double> share_over(double limit, const Direction& direction) const;

 private:
    double highest(const Direction& direction) const;
    double bits_per_second(const Traffic& bucket, const Direction& direction) const;
    std::size_t buckets_a_second() const;
    bool is_full() const;

    std::size_t wire_overhead_ = 0;
    std::chrono::nanoseconds length_{};  // of a bucket
    std::deque<Traffic> last_second_;    // at most
};

}  // namespace wcs_node_agent
