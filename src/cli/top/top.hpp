// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/config.hpp>

#include <chrono>
#include <iosfwd>

namespace wcs_node_agent {

/// Shows what the agent at the first metrics_listen sees, until its user has seen enough. Returns
/// the exit status: failed if there is no agent at the start, or no terminal.
int run_top(const Config& config, std::chrono::milliseconds delay, std::ostream& err);

/// One frame as text, of any height and as wide as $COLUMNS (80), from two readings 2 s apart.
int print_top(const Config& config, std::ostream& out, std::ostream& err);

}  // namespace wcs_node_agent
