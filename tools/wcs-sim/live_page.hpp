// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs-sim/signalling.hpp"
#include "wcs-sim/simulation.hpp"

#include <vector>

namespace wcs_node_agent::sim {

/// The page with its clients on it: their counts are added to what was set, and streams_viewers
/// lists what they publish. A value that was set to no number stays.
std::vector<Section> with_clients(std::vector<Section> sections, const LiveCounts& counts);

}  // namespace wcs_node_agent::sim
