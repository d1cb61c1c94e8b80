// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/learnt.hpp"

#include <cmath>

namespace wcs_node_agent::balance {

namespace {

std::optional<double> mean(double sum, double count) {
    return count > 0 ? std::optional(sum / count) : std::nullopt;
}

}  // namespace

void Learnt::look(const Weight& weight, double mean_utilisation) {
    ++looks_;
    effect_ += weight.effect;
    dispersion_ += weight.dispersion;
    if (!weight.level) return;
    ++levels_;
    squares_ += (*weight.level - mean_utilisation) * (*weight.level - mean_utilisation);
}

std::optional<double> Learnt::effect() const { return mean(effect_, looks_); }

std::optional<double> Learnt::dispersion() const { return mean(dispersion_, looks_); }

std::optional<double> Learnt::level_known() const { return mean(levels_, looks_); }

std::optional<double> Learnt::level_error() const {
    const auto variance = mean(squares_, levels_);
    return variance ? std::optional(std::sqrt(*variance)) : std::nullopt;
}

}  // namespace wcs_node_agent::balance
