// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// What is held against a limit.
enum class LimitValue { cpu, publishers, subscribers, hls, band_in, band_out };

/// True for what the page of WCS says, false for what the agent measures itself.
constexpr bool is_of_wcs(LimitValue value) {
    return value == LimitValue::publishers || value == LimitValue::subscribers ||
           value == LimitValue::hls;
}

/// What a limit's value and maximum are given in.
enum class LimitUnit { percent, streams, megabits_per_second };  // Mbit/s: 10^6 bit

/// The greatest allowed value of a limit as it is configured. Always greater than 0.
struct LimitMaximum {
    LimitMaximum(double in_own_unit) : value(in_own_unit) {}  // NOLINT: any number is a maximum
    static LimitMaximum share_of_link(double percent) {
        LimitMaximum maximum(percent);
        maximum.is_share = true;
        return maximum;
    }

    double value;           // in the limit's own unit, or in percent of the link's speed
    bool is_share = false;  // true for bandwidth alone; then value is at most 100

    bool operator==(const LimitMaximum&) const = default;
};

/// One limit of the configuration.
struct Limit {
    std::string name;  // in the configuration, in replies and in metric labels
    LimitValue value;
    LimitUnit unit;
    std::optional<LimitMaximum> maximum;  // none: it is off

    bool operator==(const Limit&) const = default;
};

using Limits = std::vector<Limit>;

/// A limit that every configuration has.
struct BuiltInLimit {
    std::string_view name;
    LimitValue value;
    LimitUnit unit;
    double maximum;  // by default, in its own unit; 0: off
};

/// In the order in which replies, /status and metrics list them.
inline constexpr std::array<BuiltInLimit, 6> built_in_limits{{
    {"cpu", LimitValue::cpu, LimitUnit::percent, 90},
    {"publishers", LimitValue::publishers, LimitUnit::streams, 100},
    {"subscribers", LimitValue::subscribers, LimitUnit::streams, 100},
    {"hls", LimitValue::hls, LimitUnit::streams, 100},
    {"band_in", LimitValue::band_in, LimitUnit::megabits_per_second, 100},
    {"band_out", LimitValue::band_out, LimitUnit::megabits_per_second, 100},
}};

/// Limits and their readings: the one of that name, which must be there.
template <class List>
auto& named(List& list, std::string_view name) {
    return *std::ranges::find_if(list, [&](const auto& one) { return one.name == name; });
}

inline Limits default_limits() {
    Limits limits;
    for (const auto& [name, value, unit, maximum] : built_in_limits) {
        auto& limit = limits.emplace_back(Limit{std::string(name), value, unit, {}});
        if (maximum > 0) limit.maximum = maximum;
    }
    return limits;
}

}  // namespace wcs_node_agent
