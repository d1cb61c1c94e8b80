// SPDX-License-Identifier: Apache-2.0
#include "load/weight_text.hpp"

#include <fmt/format.h>

namespace wcs_node_agent {

std::string weight_text(const Weight& weight) {
    auto text = fmt::format("{}: {:.1f} % free", to_string(weight.policy), weight.raw);
    if (weight.policy == WeightPolicy::proportional) return text;
    if (weight.recent >= 0.05)
        text +=
            fmt::format(", {:.1f} new sessions take {:.1f} %", weight.recent, 100 * weight.added);
    if (weight.ramp < 1) text += fmt::format(", at most {:.0f} % so soon", 100 * weight.ramp);
    text += fmt::format(", capacity {:.0f} of {:.0f} sessions", weight.capacity, weight.reference);
    if (const auto bound = weight.bound())
        text += fmt::format(", at most {} connections for each of {} balancers", *bound,
                            weight.balancers);
    return text;
}

}  // namespace wcs_node_agent
