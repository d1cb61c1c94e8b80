// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/node.hpp"

namespace wcs_node_agent::balance {

/// The limits of a node of capacity 1.
inline constexpr double cpu_limit = 0.9;  // of its CPUs; the other resource: Mbit/s
inline constexpr double band_limit = 100;
inline constexpr PerResource resource_limits{cpu_limit, band_limit};

/// A link is faster than the limit that leaves it room; what does not fit is not sent.
inline constexpr double link_by_limit = 1.25;

/// Streams that nobody means to reach: what sessions cost is the limit, not their number.
inline constexpr double most_streams_per_session_of_room = 3;

/// Of the tightest limit; above 1 where more is asked of the node than it may give.
inline double utilisation(const Node& node) {
    double highest = 0;
    for (std::size_t i = 0; i < resource_count; ++i)
        highest = std::max(highest, node.load.value()[i] / resource_limits[i]);
    return highest / node.capacity;
}

}  // namespace wcs_node_agent::balance
