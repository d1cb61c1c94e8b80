// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wcs_node_agent {

/// The log goes to standard error from now on, at this level (spdlog's names), one printable line
/// an entry; where that is the journal, with the level in front as it reads it (sd-daemon(3)) and
/// without the time, which it has itself. A line that cannot be written at once, as the disk is
/// full or nobody reads the pipe, is dropped and counted: load balancers do not wait for a log. The
/// number dropped is logged before the next line that can be written. For one thread: the sink has
/// no lock, and worker threads do not log.
void log_to_standard_error(const std::string& level);

/// Lines dropped so far.
std::uint64_t lost_log_lines();

/// Why a daemon does not start, a line each, to standard error: as they are, or as errors for the
/// journal.
void report_errors(std::string_view lines);

}  // namespace wcs_node_agent
