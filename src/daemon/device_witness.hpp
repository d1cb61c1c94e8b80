// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/device_counters.hpp"
#include "kernel/monotonic_traffic.hpp"
#include "load/rate_window.hpp"
#include "load/witness.hpp"

#include <wcs_node_agent/link.hpp>
#include <wcs_node_agent/probe.hpp>
#include <wcs_node_agent/result.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>

namespace wcs_node_agent {

/// Reads the counters of a probe beside those of the devices: see Witness. What is decided of an
/// interface is logged once, and a probe that has become blind on it is asked to repair its hook.
class DeviceWitness {
 public:
    /// All counters, corrected for the selected interfaces (ascending); what they had missed is
    /// added to the window's earlier readings. Fails as the probe does.
    Result<RawCounters> read(Probe& probe, std::span<const Link> links,
                             std::span<const std::uint32_t> selected, RateWindow& window);

 private:
    std::vector<DeviceReading> read_devices(std::span<const Link> links,
                                            std::span<const std::uint32_t> indexes);

    const MonotonicTraffic* read_device(std::uint32_t index);
    std::optional<DeviceFlow> read_again(std::uint32_t index, const Direction& direction);

    std::optional<DeviceCounters> devices_;  // none: they cannot be read
    std::map<std::uint32_t, MonotonicTraffic> history_;
    bool is_opened_ = false;
    Witness witness_;
};

/// Whether the source has counted on each of these since then, and no device stands in for it.
bool are_counted_by_source(const RawCounters& counters, std::span<const std::uint32_t> indexes,
                           Clock::time_point since);

}  // namespace wcs_node_agent
