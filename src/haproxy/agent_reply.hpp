// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/verdict.hpp>

#include <string>

namespace wcs_node_agent {

/// The verdict as HAProxy's agent check reads it: one line of printable ASCII with its newline, at
/// most 200 bytes. It states health and weight in full, as the agent cannot know HAProxy's view.
/// The operator's word is HAProxy's own, which holds there until it hears `ready`.
std::string agent_reply(const Verdict& verdict);

/// The same for somebody who cannot be told `ready` later: a drain is the weight 0 %, maintenance a
/// `down`, which the next reply undoes.
std::string passing_reply(const Verdict& verdict);

/// A reply without the operator's word, made to undo it.
std::string with_ready(const std::string& reply);

}  // namespace wcs_node_agent
