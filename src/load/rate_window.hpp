// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>

namespace wcs_node_agent {

/// Turns counters into means over a window. What starts anew, vanishes or appears between two
/// readings adds nothing for that interval, so no rate is ever negative or larger than what was
/// counted.
class RateWindow {
 public:
    /// window: greater than 0.
    explicit RateWindow(std::chrono::nanoseconds window) : window_(window) {}

    /// Takes effect with the next reading; what has been gathered stays.
    void set_window(std::chrono::nanoseconds window) { window_ = window; }

    /// Bytes that each frame takes on the wire beside those counted; for all that is in the window.
    void set_wire_overhead(std::size_t bytes) { wire_overhead_ = bytes; }

    /// Takes in the next reading; one that is not later than the last is passed over. selected:
    /// indexes of the interfaces to be summed, ascending.
    void add(const RawCounters& reading, std::span<const std::uint32_t> selected);

    /// Means from the window's start, or from the first reading while that is younger, to the last
    /// reading. Absent before the second one; bandwidth also while no interface is selected.
    Rates rates() const;

 private:
    /// Sums since the first reading.
    struct Point {
        Clock::time_point at;
        Traffic traffic;
        std::chrono::nanoseconds cpu_busy{};
        std::chrono::nanoseconds cpu_time{};  // of all CPUs that were online throughout
    };

    std::chrono::nanoseconds window_;
    std::size_t wire_overhead_ = 0;
    std::optional<RawCounters> last_;
    std::deque<Point> points_;  // from the window's start on
    bool any_selected_ = false;
};

}  // namespace wcs_node_agent
