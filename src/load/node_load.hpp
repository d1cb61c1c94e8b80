// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/recent_sessions.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/limits.hpp>
#include <wcs_node_agent/verdict.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace wcs_node_agent {

/// The highest utilisation among some of the limits; none where none of them is known.
struct Utilisations {
    std::optional<double> all = {};   // soft limits included: the bottleneck's
    std::optional<double> hard = {};  // at 1 the node goes down
    std::optional<double> by_sessions =
        {};  // of the built-in hard ones, which sessions use up; none
             // too if one of them is known in part or not at all
};

Utilisations utilisations_of(const Verdict& verdict);

/// The node at one moment as far as the weight depends on it.
struct NodeLoad {
    Clock::time_point at;
    NodeState state = NodeState::up;
    Utilisations utilisation = {};
    SessionCounts sessions = {};
    std::optional<double> connections = {};  // that WCS has
    std::size_t balancers = 0;               // sources that ask; 0 is taken for 1
    bool is_out = false;                     // by the operator's word, whatever the state
};

/// As the limits have them, whether these are on or off; what is known in part is not known.
SessionCounts session_counts(const Verdict& verdict);

/// The sum of the page's numbers with these names, while the page is no older than stale_after.
std::optional<double> connections_of(const std::vector<std::string>& names, const WcsState& wcs,
                                     std::chrono::nanoseconds stale_after, Clock::time_point now);

/// Sessions that fill a node by its limits: the lowest limit of a count, or else the documented
/// one.
double expected_capacity(const Limits& limits);

}  // namespace wcs_node_agent
