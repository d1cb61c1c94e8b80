// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/verdict.hpp>

#include <string>

namespace wcs_node_agent {

/// The verdict as HAProxy's agent check reads it: one line of printable ASCII with its newline, at
/// most 200 bytes. It states health and weight in full, as the agent cannot know HAProxy's view.
std::string agent_reply(const Verdict& verdict);

}  // namespace wcs_node_agent
