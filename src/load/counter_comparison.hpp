// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace wcs_node_agent {

/// Frames of one direction, counted over some time.
struct Flow {
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;

    bool operator==(const Flow&) const = default;
};

constexpr Flow operator+(const Flow& sum, const Flow& more) {
    return {sum.bytes + more.bytes, sum.packets + more.packets};
}

/// What is known of how a device counts.
struct DeviceTraits {
    bool updates_late = false;  // counters of a card may be seconds old
    bool is_tunnel = false;     // bytes may be those of the outer packets, or of the inner ones
};

/// How two counts of the same frames go together.
enum class Comparison {
    agrees,
    idle,    // neither has counted anything
    blind,   // the device has counted more than ours can have missed by rounding
    excess,  // ours has counted what the device does not know of
};

/// What one has counted and the other not, as both are not read at the same moment.
struct Lead {
    Flow before = {};  // counted by us before the time compared, and by the device perhaps in it
    Flow queued = {};  // counted by us, and still in the queueing discipline
};

/// Ours: on the wire; repeated_bytes of them are headers of the segments of aggregates. The
/// device's: a driver counts an aggregate as one packet or as its segments, with or without layer 2
/// headers, padding and frame check sequence; all of that agrees.
Comparison compare(const Flow& ours, std::uint64_t repeated_bytes, const Flow& device,
                   const Lead& lead, const DeviceTraits& traits);

/// As much of ours as the device can have seen.
Flow limited_by(const Flow& ours, std::uint64_t repeated_bytes, const Flow& device);

}  // namespace wcs_node_agent
