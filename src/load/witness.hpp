// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/witnessed_flow.hpp"

#include <wcs_node_agent/raw_counters.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wcs_node_agent {

/// What the driver of an interface has counted.
struct DeviceReading {
    std::uint32_t index = 0;
    std::string name;
    Traffic traffic = {};
    Clock::time_point since = {};  // when that began; other than before: it began anew
    DeviceTraits traits = {};
};

/// A change of who counts one direction of an interface.
struct CounterChange {
    std::uint32_t index = 0;
    std::string name;
    const Direction* direction = nullptr;  // of `directions`
    WitnessedFlow::Change change = {};
};

/// Holds what the kernel programs count against what the devices count themselves. So whatever
/// hides frames from the programs, or counted frames from the wire, is noticed: a program that ends
/// the chain before ours, a hook that is gone, a redirect behind it. The device's counters are less
/// exact (of an aggregate they may count one packet, without headers), and so they stand in, per
/// direction, only while both disagree by more than that explains.
///
/// Counters of software devices, which are always up to date, correct ours at once; after a second
/// of disagreement (3 s for a card) they take their place, until both have agreed for 5 s.
class Witness {
 public:
    /// Reads a device anew, by its index; none: it cannot be had.
    using ReadAgain =
        std::function<std::optional<DeviceFlow>(std::uint32_t index, const Direction& direction)>;

    /// Which of the selected interfaces (ascending) should be read now, ascending: those that are
    /// disputed, and the others by turns, each of them once a second.
    std::vector<std::uint32_t> due(std::span<const std::uint32_t> selected);

    /// Corrects the counters, which were read after the devices (by index, ascending). A selected
    /// interface that the source does not count is added to them, counted by its device.
    std::vector<CounterChange> correct(RawCounters& counters,
                                       std::span<const DeviceReading> devices,
                                       const ReadAgain& read_again);

 private:
    struct Interface {
        std::string name;
        DeviceTraits traits;
        Clock::time_point source_since;  // see InterfaceCounters
        Clock::time_point device_since;
        Clock::time_point since;
        bool is_counted = false;  // by the source
        PerDirection<WitnessedFlow> flows = {};

        bool by_device() const { return std::ranges::any_of(flows, &WitnessedFlow::by_device); }
    };
    static void advance(Interface& interface, const InterfaceCounters* ours,
                        const DeviceReading* theirs, Clock::time_point at, std::uint32_t index,
                        const ReadAgain& read_again, std::vector<CounterChange>& changes);
    static void write(const Interface& interface, InterfaceCounters& counters);

    std::map<std::uint32_t, Interface> known_;
    std::size_t turn_ = 0;
};

}  // namespace wcs_node_agent
