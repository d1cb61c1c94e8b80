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
#include <vector>

namespace wcs_node_agent {

/// Turns interfaces' counters into mean rates over a window. Of every interface the counters within
/// the window are kept, so that a selection that changes is summed over the whole window too.
class RateWindow {
 public:
    /// window: greater than 0.
    explicit RateWindow(std::chrono::nanoseconds window) : window_(window) {}

    /// Takes effect with the next reading; what has been gathered stays.
    void set_window(std::chrono::nanoseconds window) { window_ = window; }

    /// Bytes that each frame takes on the wire beside those counted; for all that is in the window.
    void set_wire_overhead(std::size_t bytes) { wire_overhead_ = bytes; }

    /// Takes in the next reading; one that is not later than the last is passed over.
    void add(const RawCounters& reading);

    /// What an interface has counted since `from` is more by this than its readings said: they are
    /// corrected as if it had come evenly until `to`.
    void add_missed(std::uint32_t index, const Traffic& missed, Clock::time_point from,
                    Clock::time_point to);

    /// Means from the window's start to the last reading. selected: indexes of the interfaces to be
    /// summed, ascending. An interface was not counted throughout if it is missing from a reading,
    /// began anew or has a counter that went back.
    Rates rates(std::span<const std::uint32_t> selected) const;

 private:
    struct Interface {
        std::uint32_t index;
        Clock::time_point since;
        Traffic traffic;
    };

    struct Point {
        Clock::time_point at;
        std::vector<Interface> interfaces;  // by index, ascending
    };

    std::size_t counted_from(std::uint32_t index) const;
    Traffic sum(std::span<const std::uint32_t> indexes, std::size_t from) const;
    void set_bandwidth(Means& means, const Traffic& sum, std::size_t from) const;

    std::chrono::nanoseconds window_;
    std::size_t wire_overhead_ = 0;
    std::deque<Point> points_;  // from the window's start on
};

}  // namespace wcs_node_agent
