// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/counter_comparison.hpp"

#include <wcs_node_agent/clock.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace wcs_node_agent {

/// One direction of an interface, as a device has counted it since it came up and as it stands in
/// its queueing discipline.
struct DeviceFlow {
    Flow counted = {};
    Flow queued = {};
};

/// One direction of an interface, counted twice: by the kernel programs and by its device. Reports
/// the former, and the latter while both disagree. What is reported never falls.
class WitnessedFlow {
 public:
    /// Counters as they stand. Those of a side that is absent grow by nothing.
    struct Reading {
        Clock::time_point at;
        std::optional<Flow> ours = {};
        std::uint64_t repeated_bytes = 0;  // of ours
        std::optional<Flow> device = {};
        bool device_began_anew = false;  // how far it had come since the last is not known
    };

    /// Another reading of the device, and of its queue; none: it cannot be had.
    using ReadAgain = std::function<std::optional<DeviceFlow>()>;

    /// Who counts from now on, and why.
    struct Change {
        bool to_device = false;
        Comparison comparison = Comparison::agrees;
        Flow ours = {};                // of what was compared
        Flow device = {};              // alike
        Clock::time_point since = {};  // over the time from here on
        Flow missed = {};              // since then, and reported only now
    };

    /// Reports, from the first reading on, what our counter says, or zero where there is none.
    void start(const Reading& first);

    std::optional<Change> advance(const Reading& reading, const DeviceTraits& traits,
                                  const ReadAgain& read_again);

    /// The device counts from the last reading on, as the source has ceased to count.
    Change count_by_device(const Reading& reading);

    /// The source counts from the last reading on, whatever the device says.
    void count_by_source() { count_by(false, last_); }

    const Flow& reported() const { return reported_; }
    bool by_device() const { return by_device_; }
    bool is_disputed() const { return by_device_ || disagrees_since_.has_value(); }

 private:
    std::optional<Change> advance_by_device(Comparison comparison, bool is_open);
    std::optional<Change> advance_by_source(Comparison comparison, const Flow& queued,
                                            bool updates_late);
    Flow lead(const ReadAgain& read_again) const;
    void count_by(bool device, Clock::time_point at);
    void grow(const Reading& reading);
    void report(const Flow& growth);
    void begin_anew(Clock::time_point at, const Lead& lead = {});
    Flow missed() const;
    Change change(bool to_device, Comparison comparison) const;

    // As read last.
    Clock::time_point last_;
    Flow ours_last_;
    Flow device_last_;
    std::uint64_t repeated_last_ = 0;
    // What is compared: growth since `begun_`.
    Clock::time_point begun_;
    Flow ours_;
    Flow device_;
    std::uint64_t repeated_ = 0;
    Flow lead_;  // counted by ours before, and by the device perhaps since
    Flow reported_then_;

    Flow reported_;
    bool by_device_ = false;
    std::optional<Clock::time_point> disagrees_since_;
    std::optional<Clock::time_point> agrees_since_;  // while the device counts
};

}  // namespace wcs_node_agent
