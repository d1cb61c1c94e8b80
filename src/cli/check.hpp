// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/config.hpp>

#include <chrono>
#include <iosfwd>

namespace wcs_node_agent {

/// Prints one HAProxy line on out, and nothing else anywhere, since under xinetd standard error is
/// the connection too. Only that the node cannot be measured, or that the configuration does not go
/// with it, is reported on err. Returns the exit status.
///
/// The line is the running agent's where there is one, unless asked_differently: options or limits
/// were given, which that agent may not have. Else it is from a sample of its own, beside an
/// agent from /proc.
int check_once(const Config& settings, bool asked_differently, std::ostream& out,
               std::ostream& err);

/// How long a sample of its own looks at the counters: until `interval` after the command began, of
/// which `passed` is over, as who asks waits for all of it; but for half of that, however long the
/// kernel took to load the programs.
std::chrono::nanoseconds look_length(std::chrono::nanoseconds interval,
                                     std::chrono::nanoseconds passed);

}  // namespace wcs_node_agent
