// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/config.hpp>

#include <iosfwd>

namespace wcs_node_agent {

/// Has the running agent read its configuration again, and waits until it has. Without a control
/// socket in the configuration $MAINPID, as the unit's ExecReload= has it, gets SIGHUP, and what
/// comes of it is in the log alone. Returns the exit status: exit_failed, with the reason, where
/// nothing changed.
int reload_command(const ControlSettings& settings, std::ostream& out, std::ostream& err);

}  // namespace wcs_node_agent
