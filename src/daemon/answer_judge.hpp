// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/policy.hpp"
#include "load/weigher.hpp"
#include "wcs/recount.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/snapshot.hpp>
#include <wcs_node_agent/verdict.hpp>

#include <cstddef>

namespace wcs_node_agent {

/// Makes one verdict of what all share, with a memory of its own: hysteresis, last values, recent
/// sessions, what a session costs.
class AnswerJudge {
 public:
    explicit AnswerJudge(const AnswerSettings& settings) { configure(settings); }

    /// Takes effect with the next verdict; what has been measured stays.
    void configure(const AnswerSettings& settings);

    /// Of a snapshot that has everything but verdicts; its counts of WCS are made anew where these
    /// settings have other names for them. `balancers`: sources that ask for this verdict;
    /// `is_out`: the operator says drain or maint.
    Verdict judge(const Snapshot& node, const Measured& measured, std::size_t balancers,
                  bool is_out = false);

 private:
    PolicySettings policy_settings_;
    WeightSettings weight_settings_;
    CountNames count_names_;
    Policy policy_;
    Weigher weigher_;
    Recount recount_;
};

}  // namespace wcs_node_agent
