// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/open_connections.hpp"

#include <cstddef>

namespace wcs_node_agent {

/// How many connections each port may hold, so that descriptors never run out.
struct ConnectionBudget {
    OpenConnections::Limits agent;
    OpenConnections::Limits metrics;

    bool operator==(const ConnectionBudget&) const = default;
};

/// Each port has a share of its own: clients of one cannot take the other's. With fewer descriptors
/// than all of that and the agent's own need (`used` of them are open already) both shrink alike.
ConnectionBudget connection_budget(std::size_t descriptors, std::size_t used);

}  // namespace wcs_node_agent
