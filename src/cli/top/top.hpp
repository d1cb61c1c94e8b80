// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/agent_client.hpp"

#include <chrono>
#include <iosfwd>

namespace wcs_node_agent {

/// Shows what the agent sees, until its user has seen enough. Returns the exit status: failed if it
/// does not answer at the start, or there is no terminal.
int run_top(const AgentClient& agent, std::chrono::milliseconds delay, std::ostream& err);

/// One frame as text, of any height and as wide as $COLUMNS (80), from two readings 2 s apart.
int print_top(const AgentClient& agent, std::ostream& out, std::ostream& err);

}  // namespace wcs_node_agent
