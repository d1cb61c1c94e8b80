// SPDX-License-Identifier: Apache-2.0
#include "load/slow_ratio.hpp"

#include <algorithm>
#include <cmath>

namespace wcs_node_agent {

namespace {

constexpr double prior_sessions = 5;  // sessions

}  // namespace

void SlowRatio::observe(const Observation& now, std::chrono::nanoseconds passed,
                        std::chrono::nanoseconds window) {
    if (!std::isfinite(now.amount) || !std::isfinite(now.sessions)) return;
    amount_.observe(now.amount, passed, window);
    sessions_.observe(now.sessions, passed, window);
}

double SlowRatio::value(double expected) const {
    constexpr double lowest = 1e-6;
    constexpr double highest = 1e6;
    const double ratio =
        (amount_.value() + prior_sessions * expected) / (sessions_.value() + prior_sessions);
    return std::clamp(ratio, lowest, highest);
}

}  // namespace wcs_node_agent
