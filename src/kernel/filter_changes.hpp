// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/traffic_control.hpp"

struct nl_sock;

namespace wcs_node_agent {

/// From now on the socket, of NETLINK_ROUTE, also reports when somebody else removes or replaces
/// these filters, or a clsact qdisc. What else changes in traffic control wakes nobody. Returns 0
/// or a negative NLE_*.
int follow_filters(nl_sock* socket, const OwnFilters& filters);

}  // namespace wcs_node_agent
