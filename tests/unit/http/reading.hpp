// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/verdict.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace wcs_node_agent::test {

/// Of a built-in limit.
inline LimitReading reading(std::string_view name, std::optional<double> value,
                            std::optional<double> maximum) {
    const auto& limit =
        *std::ranges::find(built_in_limits, name, [](const auto& one) { return one.name; });
    LimitReading reading{
        .name = std::string(name), .held = limit.value, .unit = limit.unit, .soft = limit.soft};
    reading.value = value;
    reading.maximum = maximum;
    if (value && maximum) reading.utilisation = *value / *maximum;
    return reading;
}

/// Of each built-in limit, switched off and not known.
inline std::vector<LimitReading> no_readings() {
    std::vector<LimitReading> readings;
    for (const auto& limit : built_in_limits) readings.push_back(reading(limit.name, {}, {}));
    return readings;
}

}  // namespace wcs_node_agent::test
