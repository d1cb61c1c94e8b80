// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/sample.hpp"
#include "load/policy.hpp"
#include "load/weigher.hpp"

#include <wcs_node_agent/agent_counters.hpp>
#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/snapshot.hpp>
#include <wcs_node_agent/wcs_state.hpp>

namespace wcs_node_agent {

/// Makes of a sample, and of what is known of WCS, a snapshot with its verdict.
class Assessor {
 public:
    explicit Assessor(const Config& config) { configure(config); }

    /// Takes effect with the next snapshot; what has been measured stays.
    void configure(const Config& config);

    Snapshot assess(Sample sample, const WcsState& wcs, const AgentCounters& agent);

 private:
    Weight weigh(const Snapshot& snapshot);

    CountNames count_names_;
    PolicySettings policy_settings_;
    WeightSettings weight_settings_;
    Policy policy_;
    Weigher weigher_;
    Clock::time_point started_ = Clock::now();
};

}  // namespace wcs_node_agent
