// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace wcs_node_agent {

/// The log goes to standard error from now on, at this level (of spdlog's names). A line that
/// cannot be written at once, as the disk is full or nobody reads the pipe, is left out and
/// counted: who answers load balancers does not wait for a log. The first line that can be written
/// again follows one that says how many were lost.
void log_to_standard_error(const std::string& level);

}  // namespace wcs_node_agent
