// SPDX-License-Identifier: Apache-2.0
#include "load/weight_text.hpp"

#include <cmath>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

double tenths(double value) { return std::round(10 * value) / 10; }

double hundredths(double value) { return std::round(100 * value) / 100; }

}  // namespace

std::string weight_text(const Weight& weight) {
    auto text = fmt::format("{}: {} % free", to_string(weight.policy), tenths(weight.raw));
    if (weight.policy == WeightPolicy::proportional) return text;
    if (const auto recent = tenths(weight.recent); recent > 0)
        text += fmt::format(", {} new sessions take {} %", recent, tenths(100 * weight.added));
    if (const auto trend = hundredths(weight.trend); trend != 1) {
        text += fmt::format(", times {}", trend);
        text += weight.level ? fmt::format(" as the fleet is at {} %", tenths(100 * *weight.level))
                             : " by its trend";
    }
    if (weight.held) text += ", held for now";
    if (weight.ramp < 1) text += fmt::format(", at most {} % so soon", tenths(100 * weight.ramp));
    text += fmt::format(", capacity {} of {} sessions", tenths(weight.capacity),
                        tenths(weight.reference));
    if (const auto bound = weight.bound())
        text += fmt::format(", at most {} connections for each of {} balancers", *bound,
                            weight.balancers);
    return text;
}

}  // namespace wcs_node_agent
