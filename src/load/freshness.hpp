// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/verdict.hpp>

#include <chrono>

namespace wcs_node_agent {

/// From which age on a verdict is not what the node is now, and then what it is worth.
struct Freshness {
    std::chrono::nanoseconds fresh_for{};    // greater than 0
    std::chrono::nanoseconds stale_after{};  // as of the counts of WCS
    WhenStale when_stale = WhenStale::down;
};

/// What is answered where no newer sample can be had. Fresh: the verdict. Then the same with a
/// reason that says its age, until stale_after; from then on when_stale decides as it does for
/// counts of WCS, since both say the same: nobody knows how the node is.
Verdict aged(const Verdict& last, std::chrono::nanoseconds age, const Freshness& freshness);

}  // namespace wcs_node_agent
