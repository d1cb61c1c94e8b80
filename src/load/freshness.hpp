// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/verdict.hpp>

#include <chrono>

namespace wcs_node_agent {

/// From which age on a verdict is not what the node is now, and then what it is worth.
struct Freshness {
    std::chrono::nanoseconds fresh_for{};    // greater than 0
    std::chrono::nanoseconds stale_after{};  // as of the value of a limit
    WhenStale when_unreadable = WhenStale::ignore;
};

/// What is answered where no newer sample can be had. Fresh: the verdict. Then the same with a
/// reason that says its age, until stale_after; from then on when_unreadable decides as it does for
/// every limit that the agent cannot measure. `hold` and `ignore` both go on with the last verdict.
Verdict aged(const Verdict& last, std::chrono::nanoseconds age, const Freshness& freshness);

}  // namespace wcs_node_agent
