// SPDX-License-Identifier: Apache-2.0
#include "load/slow_mean.hpp"

#include <wcs_node_agent/clock.hpp>

#include <algorithm>
#include <cmath>

namespace wcs_node_agent {

namespace {

constexpr Seconds first_counts_for{1};
constexpr Seconds longest_step{5};

}  // namespace

void SlowMean::observe(double value, std::chrono::nanoseconds passed,
                       std::chrono::nanoseconds window) {
    if (!std::isfinite(value)) return;
    const auto step = std::clamp<Seconds>(passed, Seconds::zero(), longest_step);
    const bool is_first = observed_ == Seconds::zero();
    observed_ += is_first ? first_counts_for : step;
    const double share = is_first || window.count() <= 0
                             ? 1
                             : std::max(step / observed_, 1 - std::exp(-step / Seconds(window)));
    observed_ = std::min<Seconds>(observed_, window + first_counts_for);
    mean_ += share * (value - mean_);
}

}  // namespace wcs_node_agent
