// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <deque>
#include <vector>

namespace wcs_node_agent {

/// How busy the busiest CPU was over long_window: one that is full holds up all that the kernel or
/// a program does on it, while the mean over CPUs is low.
class HottestCpu {
 public:
    /// Takes in the next reading; one that is not later than the last is passed over.
    void add(const RawCounters& reading);

    /// Sets cpu_max_utilisation: of the means themselves once the window is full, until then of
    /// so_far. Of the CPUs that each reading of the window has; absent where there is none.
    void set(Rates& rates) const;

 private:
    struct Point {
        Clock::time_point at;
        std::vector<CpuCounters> cpus;  // by number, ascending
    };

    std::deque<Point> points_;  // about one a second from the window's start on, and the last
};

}  // namespace wcs_node_agent
