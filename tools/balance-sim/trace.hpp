// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/workload.hpp"

#include <wcs_node_agent/result.hpp>

#include <iosfwd>
#include <vector>

namespace wcs_node_agent::balance {

struct Arrival {
    double at;  // s of measured time, below 0 during the warm-up
    Demand demand;
};

/// Reads one session a line, `ARRIVAL LENGTH RAMP COST`, in the order in which they come: times in
/// seconds, the cost as a share of the bandwidth limit of a node of capacity 1. Empty lines and
/// those that begin with # say nothing. The error names the line.
Result<std::vector<Arrival>> read_trace(std::istream& in);

}  // namespace wcs_node_agent::balance
