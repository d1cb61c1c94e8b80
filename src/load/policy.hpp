// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/limits.hpp>
#include <wcs_node_agent/snapshot.hpp>
#include <wcs_node_agent/verdict.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <chrono>

namespace wcs_node_agent {

struct PolicySettings {
    Limits limits;
    double recover = 0.95;                   // 0..1: below it a node that was over comes back
    std::chrono::nanoseconds stale_after{};  // how long counts of WCS hold
    WhenStale when_stale = WhenStale::down;
};

/// Holds what is known of the node against its limits. Remembers one thing: whether the node is out
/// for being over a limit, as it comes back only with some room to spare.
class Policy {
 public:
    /// What the load balancer is to be told at this moment.
    Verdict decide(const PolicySettings& settings, const Rates& rates, const WcsState& wcs,
                   Clock::time_point now);

 private:
    bool over_ = false;
};

}  // namespace wcs_node_agent
