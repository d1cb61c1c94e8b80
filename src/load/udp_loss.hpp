// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/receive_counters.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <cstdint>
#include <deque>

namespace wcs_node_agent {

/// The share of UDP datagrams that were lost in sockets' buffers, over long_window.
class UdpLoss {
 public:
    /// Fewer datagrams within the window are no evidence of loss: 100 a second are one stream.
    static constexpr std::uint64_t least_datagrams = 1000;

    /// Takes in the next reading; one that is not later than the last is passed over.
    void add(Clock::time_point at, const UdpCounters& counters);

    /// Nothing could be read: what comes next is not compared with what came before.
    void restart() { points_.clear(); }

    /// Sets udp_loss: of the means themselves once the window is full, until then of so_far.
    /// Absent before the first reading.
    void set(Rates& rates) const;

 private:
    struct Point {
        Clock::time_point at;
        UdpCounters counters;
    };

    std::deque<Point> points_;  // from the window's start on
};

}  // namespace wcs_node_agent
