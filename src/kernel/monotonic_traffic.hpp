// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/raw_counters.hpp>

namespace wcs_node_agent {

/// Counters of a device that never fall, whatever its driver says: see monotonic.hpp. One that fell
/// or jumped beyond any wire has begun anew, as what was counted meanwhile is not known.
class MonotonicTraffic {
 public:
    MonotonicTraffic(const Traffic& reading, Clock::time_point now);

    /// Takes in the next reading.
    void advance(const Traffic& reading, Clock::time_point now);

    const Traffic& total() const { return total_; }

    /// When this counting began; other than before: it began anew.
    Clock::time_point since() const { return since_; }

 private:
    Traffic reading_;
    Traffic total_;
    Clock::time_point since_;
    Clock::time_point read_at_;
};

}  // namespace wcs_node_agent
