// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "counters.h"
#include "kernel/mapped_array.hpp"

#include <wcs_node_agent/raw_counters.hpp>

#include <chrono>
#include <span>
#include <utility>
#include <vector>

namespace wcs_node_agent {

/// How long each CPU was busy, from the words that the kernel programs keep.
class BusyTimes {
 public:
    /// monotonic_offset: of this time namespace; the programs read the host's clock.
    BusyTimes(MappedArray<cpu_time> times, std::chrono::nanoseconds monotonic_offset)
        : times_(std::move(times)), monotonic_offset_(monotonic_offset), last_(times_.size()) {}

    /// Fills in the busy time, which never falls, of the CPUs that are online, ascending.
    void read(std::span<CpuCounters> online);

    /// Of the CPUs that are there but not online, ascending both: no tracepoint fires on one that
    /// is going offline, so the interval in which it went stays open, and nobody writes there any
    /// more. It is closed with what was reported last.
    void close_intervals_of_offline(std::span<const unsigned> present,
                                    std::span<const CpuCounters> online);

 private:
    MappedArray<cpu_time> times_;
    std::chrono::nanoseconds monotonic_offset_;
    std::vector<std::chrono::nanoseconds> last_;  // by CPU
};

}  // namespace wcs_node_agent
