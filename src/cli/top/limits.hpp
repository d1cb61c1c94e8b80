// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/top/frame.hpp"
#include "cli/top/status_history.hpp"
#include "cli/top/view.hpp"

namespace wcs_node_agent {

/// The limits of the node, a row each: value, maximum, how much of it is used, as a bar and as it
/// was in the last minutes. Why a value is unknown stands below where the row is too short for it.
void add_limits(Frame& frame, const Json& status, const StatusHistory& history, const View& view);

}  // namespace wcs_node_agent
