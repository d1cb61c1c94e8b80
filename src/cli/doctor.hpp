// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/config.hpp>

#include <iosfwd>

namespace wcs_node_agent {

/// Prints requirement by requirement what this kernel and this user have, and what the agent would
/// use. Returns the exit status: exit_failed where the agent could not run as configured.
int run_doctor(const Config& config, std::ostream& out);

}  // namespace wcs_node_agent
