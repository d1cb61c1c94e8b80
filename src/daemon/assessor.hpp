// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/answer_judge.hpp"
#include "daemon/sample.hpp"

#include <wcs_node_agent/agent_counters.hpp>
#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/snapshot.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace wcs_node_agent {

/// Makes of a sample, and of what is known of WCS, a snapshot with its answers.
class Assessor {
 public:
    explicit Assessor(const Config& config) : node_(config) { configure(config); }

    /// Takes effect with the next snapshot; what has been measured stays, also for a profile that
    /// keeps its name.
    void configure(const Config& config);

    /// A node that the operator has taken out begins its ramp when it is back.
    void set_out(bool is_out) { is_out_ = is_out; }

    /// `of_profiles`: the checks of each, in the configuration's order; of those left out none.
    Snapshot assess(Sample sample, const WcsState& wcs, const AgentCounters& agent,
                    std::span<const CheckCounters> of_profiles = {});

 private:
    struct JudgedProfile {
        std::string name;
        AnswerJudge judge;
    };

    CountNames count_names_;
    std::chrono::nanoseconds stale_after_{};
    AnswerJudge node_;
    std::vector<JudgedProfile> profiles_;
    bool is_out_ = false;  // by the operator's word
    Clock::time_point started_ = Clock::now();
};

}  // namespace wcs_node_agent
