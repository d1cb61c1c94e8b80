// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/local_listener.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <string>

namespace wcs_node_agent {

/// Listens on the path for root, this process's user and the group (0660). One that a dead agent
/// has left is replaced; one on which somebody listens is an error, and so is what is no socket.
/// A folder that is missing is made, if this process may.
Result<void> open_control_socket(LocalListener& listener, const ControlSettings& settings);

/// Removes the path, if this process may.
void remove_control_socket(const std::string& path);

}  // namespace wcs_node_agent
