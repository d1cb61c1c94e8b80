// SPDX-License-Identifier: Apache-2.0
#include "load/weight_effect.hpp"

#include <wcs_node_agent/clock.hpp>

#include <algorithm>
#include <cmath>

namespace wcs_node_agent {

namespace {

constexpr double prior_periods = 5;  // that were undecided, as if seen beside the others
constexpr double certainty = 0.2;    // of the ratio above it, from where on it is decided

/// No crowd in one period weighs more than this many of the mean.
constexpr double most_by_mean = 5;

}  // namespace

void WeightEffect::observe(int percent, double came, Time now, Time period, Time window) {
    came_ += came;
    if (period.count() <= 0 || window.count() <= 0) return;
    if (percent_ && now - since_ < period) return;
    judge(came_, std::exp(-Seconds(now - since_) / Seconds(window)));
    before_ = percent_;
    percent_ = percent;
    came_ = 0;
    since_ = now;
}

void WeightEffect::judge(double came, double keep) {
    if (!before_ || !percent_ || *percent_ == *before_) return;
    if (const double usual = mean(); usual > 0)
        came = std::min(came, std::max(most_by_mean, most_by_mean * usual));
    for (auto* seen : {&after_rise_, &after_fall_}) {
        seen->came *= keep;
        seen->periods *= keep;
    }
    auto& seen = *percent_ > *before_ ? after_rise_ : after_fall_;
    seen.came += came;
    ++seen.periods;
}

void WeightEffect::interrupt() {
    percent_.reset();
    before_.reset();
    came_ = 0;
}

double WeightEffect::mean() const {
    const double periods = after_rise_.periods + after_fall_.periods;
    return periods > 0 ? (after_rise_.came + after_fall_.came) / periods : 0;
}

double WeightEffect::ratio() const {
    const double usual = mean();
    if (usual <= 0) return undecided;
    const auto drawn = [&](const Seen& seen, double prior) {
        return (seen.came + prior_periods * prior * usual) / (seen.periods + prior_periods);
    };
    return drawn(after_rise_, undecided) / drawn(after_fall_, 1);
}

double WeightEffect::strength() const {
    return std::clamp((ratio() - undecided) / certainty, 0.0, 1.0);
}

}  // namespace wcs_node_agent
