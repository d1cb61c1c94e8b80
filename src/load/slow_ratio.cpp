// SPDX-License-Identifier: Apache-2.0
#include "load/slow_ratio.hpp"

#include <wcs_node_agent/clock.hpp>

#include <algorithm>
#include <cmath>

namespace wcs_node_agent {

namespace {

constexpr double prior_sessions = 5;  // sessions
constexpr Seconds first_counts_for{1};

/// Whatever passed, one observation is no more than this of a mean: after a standstill the first
/// one may be of anything.
constexpr Seconds longest_step{5};

}  // namespace

// Until the window is full each moment counts alike, so the first figures are believed at once;
// then the mean forgets with the window as its time constant.
void SlowRatio::observe(const Observation& now, std::chrono::nanoseconds passed,
                        std::chrono::nanoseconds window) {
    if (!std::isfinite(now.amount) || !std::isfinite(now.sessions)) return;
    const auto step = std::clamp<Seconds>(passed, Seconds::zero(), longest_step);
    const bool is_first = observed_ == Seconds::zero();
    observed_ += is_first ? first_counts_for : step;
    const double share =
        is_first ? 1 : std::max(step / observed_, 1 - std::exp(-step / Seconds(window)));
    observed_ = std::min<Seconds>(observed_, window + first_counts_for);
    mean_.amount += share * (now.amount - mean_.amount);
    mean_.sessions += share * (now.sessions - mean_.sessions);
}

double SlowRatio::value(double expected) const {
    constexpr double lowest = 1e-6;
    constexpr double highest = 1e6;
    const double ratio =
        (mean_.amount + prior_sessions * expected) / (mean_.sessions + prior_sessions);
    return std::clamp(ratio, lowest, highest);
}

}  // namespace wcs_node_agent
