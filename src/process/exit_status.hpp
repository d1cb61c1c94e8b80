// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wcs_node_agent {

/// What every command ends with.
inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_wrong_usage = 2;  // or a configuration error

}  // namespace wcs_node_agent
