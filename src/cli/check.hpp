// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/config.hpp>

#include <iosfwd>

namespace wcs_node_agent {

/// One sample without a daemon: prints one HAProxy line on out, and nothing else anywhere, since
/// under xinetd standard error is the connection too. Only that the node cannot be measured, or
/// that the configuration does not go with it, is reported on err. Returns the exit status.
int check_once(const Config& settings, std::ostream& out, std::ostream& err);

}  // namespace wcs_node_agent
