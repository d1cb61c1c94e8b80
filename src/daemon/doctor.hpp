// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/command_line.hpp"

#include <iosfwd>

namespace wcs_node_agent {

/// Prints requirement by requirement what this kernel and this user have, and what the agent would
/// use. Returns the exit status: exit_failed where the agent could not run as configured.
int examine(const Invocation& invocation, std::ostream& out, std::ostream& err);

}  // namespace wcs_node_agent
