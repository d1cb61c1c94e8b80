// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <chrono>
#include <cstddef>
#include <optional>

namespace wcs_node_agent {

/// The highest rate over 10 ms within each second: media is lost in bursts that a mean over seconds
/// hides.
class PeakMeter {
 public:
    /// From reading to reading. A reading that comes late makes a longer interval, whose rate is
    /// the mean over it; one that comes too early after a late one is passed over.
    static constexpr std::chrono::nanoseconds interval = std::chrono::milliseconds(10);

    /// Bytes that each frame takes on the wire beside those counted.
    void set_wire_overhead(std::size_t bytes) { wire_overhead_ = bytes; }

    /// Takes in the next reading; the totals must be of the same interfaces as before.
    void add(const TrafficTotals& reading);

    /// Begins anew with the next reading, as when other interfaces are summed from now on.
    void restart() { last_.reset(); }

    /// The peaks of the last whole second; absent before it, and while nothing is read.
    Peaks peaks(Clock::time_point now) const;

 private:
    void close_second(Clock::time_point second);
    double rate(std::uint64_t bytes, std::uint64_t frames, Clock::duration elapsed) const;

    std::size_t wire_overhead_ = 0;
    std::optional<TrafficTotals> last_;
    Clock::time_point second_;  // the beginning of the one under way
    Peaks current_;             // of it, so far
    Peaks whole_;               // of the one before
};

}  // namespace wcs_node_agent
