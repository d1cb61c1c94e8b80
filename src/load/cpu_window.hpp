// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <chrono>
#include <deque>
#include <vector>

namespace wcs_node_agent {

/// The mean load of the online CPUs over a window.
class CpuWindow {
 public:
    /// window: greater than 0.
    explicit CpuWindow(std::chrono::nanoseconds window) : window_(window) {}

    /// Takes effect with the next reading; what has been gathered stays.
    void set_window(std::chrono::nanoseconds window) { window_ = window; }

    /// Takes in the next reading; one that is not later than the last is passed over. A CPU counts
    /// between two readings that both have it.
    void add(const RawCounters& reading);

    /// Sets cpu_utilisation: of the means themselves once the window is full, until then of so_far.
    /// Absent where any two readings of the window have no CPU in common.
    void set(Rates& rates) const;

 private:
    struct Point {
        Clock::time_point at;
        std::chrono::nanoseconds busy{};    // since the first reading
        std::chrono::nanoseconds passed{};  // of all CPUs that were online throughout
    };

    std::chrono::nanoseconds window_;
    std::vector<CpuCounters> last_cpus_;
    Clock::time_point gap_at_ = Clock::time_point::min();  // the last with no CPU of the one before
    std::deque<Point> points_;                             // from the window's start on
};

}  // namespace wcs_node_agent
