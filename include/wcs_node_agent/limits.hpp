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
enum class LimitValue {
    cpu,
    publishers,
    subscribers,
    hls,
    band_in,
    band_out,
    ports,
    cpu_core,
    udp_loss,
    band_out_peak,
    page,  // numbers of the page that the configuration names
};

/// True for what the page of WCS says, false for what the agent measures itself.
constexpr bool is_of_wcs(LimitValue value) {
    return value == LimitValue::publishers || value == LimitValue::subscribers ||
           value == LimitValue::hls || value == LimitValue::ports || value == LimitValue::page;
}

/// True for means over `window`.
constexpr bool is_over_window(LimitValue value) {
    return value == LimitValue::cpu || value == LimitValue::band_in ||
           value == LimitValue::band_out;
}

/// What a limit's value and maximum are given in.
enum class LimitUnit {
    percent,
    streams,
    megabits_per_second,  // 10^6 bit
    number,               // as the page has it
};

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

/// One limit of the configuration. What is over a soft one gets the lowest weight, and stays up.
struct Limit {
    std::string name;  // in the configuration, in replies and in metric labels
    LimitValue value;
    LimitUnit unit;
    bool soft = false;
    std::optional<LimitMaximum> maximum = {};  // none: it is off

    // Of ports and page: the value is the sum of the page's numbers with these names.
    std::vector<std::string> keys = {};
    std::vector<std::string> of = {};  // and in percent of the sum of these, if there are any

    bool operator==(const Limit&) const = default;
};

using Limits = std::vector<Limit>;

/// A limit that every configuration has.
struct BuiltInLimit {
    std::string_view name;
    LimitValue value;
    LimitUnit unit;
    bool soft;
    double maximum;  // by default, in its own unit; 0: off
};

/// In the order in which replies, /status and metrics list them.
inline constexpr std::array<BuiltInLimit, 10> built_in_limits{{
    {"cpu", LimitValue::cpu, LimitUnit::percent, false, 90},
    {"publishers", LimitValue::publishers, LimitUnit::streams, false, 100},
    {"subscribers", LimitValue::subscribers, LimitUnit::streams, false, 100},
    {"hls", LimitValue::hls, LimitUnit::streams, false, 100},
    {"band_in", LimitValue::band_in, LimitUnit::megabits_per_second, false, 100},
    {"band_out", LimitValue::band_out, LimitUnit::megabits_per_second, false, 100},
    {"ports", LimitValue::ports, LimitUnit::percent, false, 95},
    {"cpu_core", LimitValue::cpu_core, LimitUnit::percent, false, 0},
    {"udp_loss", LimitValue::udp_loss, LimitUnit::percent, true, 1},
    {"band_out_peak", LimitValue::band_out_peak, LimitUnit::megabits_per_second, true, 0},
}};

/// Limits and their readings: the one of that name, which must be there.
template <class List>
auto& named(List& list, std::string_view name) {
    return *std::ranges::find_if(list, [&](const auto& one) { return one.name == name; });
}

/// The built-in limits, to which the configuration's own are added.
inline Limits default_limits() {
    Limits limits;
    for (const auto& [name, value, unit, soft, maximum] : built_in_limits) {
        auto& limit = limits.emplace_back(
            Limit{.name = std::string(name), .value = value, .unit = unit, .soft = soft});
        if (maximum > 0) limit.maximum = maximum;
    }
    auto& ports = named(limits, "ports");
    ports.keys = {"ports_media_busy", "ports_media_quarantine"};
    ports.of = {"ports_media_busy", "ports_media_quarantine", "ports_media_free"};
    return limits;
}

}  // namespace wcs_node_agent
