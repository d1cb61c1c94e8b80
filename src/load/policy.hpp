// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/limits.hpp>
#include <wcs_node_agent/snapshot.hpp>
#include <wcs_node_agent/verdict.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <chrono>
#include <optional>

namespace wcs_node_agent {

struct PolicySettings {
    ConfiguredLimits limits;
    double recover = 0.95;                   // 0..1: below it a node that was over comes back
    std::chrono::nanoseconds stale_after{};  // how long counts of WCS hold
    WhenStale when_stale = WhenStale::down;
};

/// Holds what is known of the node against its limits. Its one state is a hysteresis: a limit takes
/// the node down at its maximum, and the node comes back below `recover` of it.
class Policy {
 public:
    /// What the load balancer gets to know at this moment. link_capacity: Mbit/s of the selected
    /// interfaces, which shares are of; without it a share is not checked.
    Verdict decide(const PolicySettings& settings, std::optional<double> link_capacity,
                   const Rates& rates, const WcsState& wcs, Clock::time_point now);

 private:
    bool tripped_ = false;
};

}  // namespace wcs_node_agent
