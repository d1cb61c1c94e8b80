// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace wcs_node_agent {

/// The log goes to standard error from now on, at this level (spdlog's names). A line that cannot
/// be written at once, as the disk is full or nobody reads the pipe, is dropped and counted: load
/// balancers do not wait for a log. The number dropped is logged before the next line that can be
/// written. For one thread: the sink has no lock, and worker threads do not log.
void log_to_standard_error(const std::string& level);

}  // namespace wcs_node_agent
