// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/route_message.hpp"

#include <wcs_node_agent/link.hpp>

#include <span>

struct nl_sock;

namespace wcs_node_agent {

/// Fills in which of all links a packet for the internet would leave through, and which ones the
/// frames of unbound tunnels would cross. The kernel itself is asked for its route to some public
/// addresses, so that rules, all tables, metrics and nexthop objects count as they do for packets;
/// none is sent. Returns 0 or a negative NLE_*. socket: of NETLINK_ROUTE, without acknowledgements.
int add_routes(nl_sock* socket, std::span<Link> links);

/// Whether one of the addresses that add_routes() asks for is among these.
bool asks_for_any_in(const Destination& destination, std::span<const Link> links);

}  // namespace wcs_node_agent
