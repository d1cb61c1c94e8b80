// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/top/frame.hpp"
#include "cli/top/status_history.hpp"
#include "cli/top/view.hpp"

#include <cstddef>
#include <optional>

namespace wcs_node_agent {

/// What grows with the host: interfaces, with the peaks of all, and CPUs, the busiest first. In at
/// most `room` lines, if there is a bound: then the last line of a table says how many more there
/// are.
void add_tables(Frame& frame, const Json& status, const StatusHistory& history, const View& view,
                std::optional<std::size_t> room);

}  // namespace wcs_node_agent
