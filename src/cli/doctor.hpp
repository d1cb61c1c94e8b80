// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/config.hpp>

#include <iosfwd>

namespace wcs_node_agent {

/// Prints what this kernel, this user and this host have of what an agent with this configuration
/// needs, and what it would use. Returns the exit status: exit_failed where anything is missing.
int run_doctor(const Config& config, std::ostream& out);

}  // namespace wcs_node_agent
