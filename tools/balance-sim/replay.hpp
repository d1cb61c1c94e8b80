// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/balancer.hpp"

#include <iosfwd>

namespace wcs_node_agent::balance {

/// Does to one balancer what the lines say, and writes where each connection goes, so that a real
/// HAProxy can be held against it:
///
///     open NAME              -> NAME SERVER, or NAME queued, or NAME refused
///     close NAME             -> NAME SERVER for who leaves the queue now
///     weight SERVER PERCENT
///     maxconn SERVER N       -> NAME SERVER for who leaves the queue now
///
/// Servers by number from 0. Empty lines end an answer. False: a line is none of these.
bool replay(const BalancerSettings& settings, std::size_t servers, Random random, std::istream& in,
            std::ostream& out);

}  // namespace wcs_node_agent::balance
