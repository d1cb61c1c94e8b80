// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/control_protocol.hpp"

#include <wcs_node_agent/result.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace wcs_node_agent {

/// One request to the agent whose control socket this is, and its reply, within that time. The
/// error says what to do: who may use it, or that no agent listens there.
Result<ControlReply> ask_control_socket(
    const std::string& path, std::string_view request,
    std::chrono::seconds timeout = std::chrono::seconds(10));  // a disk may take its time

}  // namespace wcs_node_agent
