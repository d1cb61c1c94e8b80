// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/operator_word.hpp>

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <optional>

namespace wcs_node_agent {

/// When a drained node is empty enough, and how long that is waited for.
struct WaitUntil {
    std::size_t sessions = 0;  // at most so many are left
    std::chrono::nanoseconds deadline = std::chrono::hours(1);
};

/// Says the operator's word to the running agent. With `wait` it returns once every balancer that
/// asks has heard it and no more sessions are left than that (exit_done), or at the deadline, when
/// the word is taken back, or by SIGINT or SIGTERM (exit_failed); the word holds on. Returns the
/// exit status.
int say_word(const ControlSettings& settings, Word word, const std::optional<WaitUntil>& wait,
             std::ostream& out, std::ostream& err);

}  // namespace wcs_node_agent
