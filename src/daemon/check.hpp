// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/command_line.hpp"

#include <iosfwd>

namespace wcs_node_agent {

/// One sample without a daemon: prints one HAProxy line on out, and nothing else anywhere, since
/// under xinetd standard error is the connection too. Only a faulty configuration or a node that
/// cannot be measured at all is told on err. Returns the exit status.
int check_once(const Invocation& invocation, std::ostream& out, std::ostream& err);

}  // namespace wcs_node_agent
