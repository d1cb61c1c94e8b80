// SPDX-License-Identifier: Apache-2.0
#include "daemon/answer_judge.hpp"

namespace wcs_node_agent {

void AnswerJudge::configure(const AnswerSettings& settings) {
    if (policy_settings_.limits != settings.limits) policy_.forget_page();
    policy_settings_ = {.limits = settings.limits,
                        .recover = settings.recover,
                        .stale_after = settings.stale_after,
                        .when_stale = settings.when_stale,
                        .when_unreadable = settings.when_unreadable};
    weight_settings_ = settings.weight;
    count_names_ = settings.counts;
}

Verdict AnswerJudge::judge(const Snapshot& node, const Measured& measured, std::size_t balancers,
                           bool is_out) {
    const bool has_own_counts = count_names_ != node.count_names;
    if (has_own_counts) recount_.count(node.wcs, count_names_);
    const auto& wcs = has_own_counts ? recount_.state() : node.wcs;
    auto verdict = policy_.decide(policy_settings_, measured, wcs, node.at);
    const NodeLoad load{.at = node.at,
                        .state = verdict.state,
                        .utilisation = utilisations_of(verdict),
                        .sessions = session_counts(verdict),
                        .connections = connections_of(count_names_.connections, wcs,
                                                      policy_settings_.stale_after, node.at),
                        .balancers = balancers,
                        .is_out = is_out};
    verdict.weight =
        weigher_.weigh(weight_settings_, expected_capacity(policy_settings_.limits), load);
    return verdict;
}

}  // namespace wcs_node_agent
