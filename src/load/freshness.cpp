// SPDX-License-Identifier: Apache-2.0
#include "load/freshness.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace wcs_node_agent {

Verdict aged(const Verdict& last, std::chrono::nanoseconds age, const Freshness& freshness) {
    if (age < freshness.fresh_for) return last;
    Verdict verdict = last;
    // In whole seconds, so that the log's reader and HAProxy's page see it change slowly.
    verdict.reason = fmt::format("no sample for {} s",
                                 std::chrono::duration_cast<std::chrono::seconds>(age).count());
    const bool decides =
        age > std::max(freshness.stale_after, freshness.fresh_for) && last.state == NodeState::up;
    if (decides && freshness.when_unreadable == WhenStale::down) verdict.state = NodeState::down;
    if (decides && freshness.when_unreadable == WhenStale::drain) verdict.state = NodeState::drain;
    if (verdict.state != NodeState::up) verdict.weight.percent = 0;
    if (verdict.state != last.state) {
        verdict.cause = causes::no_sample;
        verdict.bottleneck.clear();
    }
    return verdict;
}

}  // namespace wcs_node_agent
