// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace wcs_node_agent {

enum class Limit { cpu, publishers, subscribers, hls, band_in, band_out };

inline constexpr std::array all_limits{Limit::cpu, Limit::publishers, Limit::subscribers,
                                       Limit::hls, Limit::band_in,    Limit::band_out};

/// The name in the configuration, in replies and in metric labels.
constexpr std::string_view to_string(Limit limit) {
    constexpr std::array<std::string_view, all_limits.size()> names{
        "cpu", "publishers", "subscribers", "hls", "band_in", "band_out"};
    return names[static_cast<std::size_t>(limit)];
}

/// True for what WCS counts, false for what the agent measures itself.
constexpr bool is_wcs_count(Limit limit) {
    return limit == Limit::publishers || limit == Limit::subscribers || limit == Limit::hls;
}

/// One value of type T for each limit.
template <class T>
class PerLimit {
 public:
    constexpr T& operator[](Limit limit) { return values_[static_cast<std::size_t>(limit)]; }
    constexpr const T& operator[](Limit limit) const {
        return values_[static_cast<std::size_t>(limit)];
    }
    bool operator==(const PerLimit&) const = default;

 private:
    std::array<T, all_limits.size()> values_{};
};

/// The greatest allowed value of a limit as it is configured. Always greater than 0.
struct ConfiguredLimit {
    ConfiguredLimit(double in_own_unit) : value(in_own_unit) {}  // NOLINT: any number is a limit
    static ConfiguredLimit share_of_link(double percent) {
        ConfiguredLimit limit(percent);
        limit.is_share = true;
        return limit;
    }

    double value;           // in the limit's own unit, or in percent of the link's speed
    bool is_share = false;  // true for band_in and band_out alone; then value is at most 100

    bool operator==(const ConfiguredLimit&) const = default;
};

/// A limit that is switched off has none.
using ConfiguredLimits = PerLimit<std::optional<ConfiguredLimit>>;

/// cpu 90 percent, the others 100 of their unit.
inline ConfiguredLimits default_limits() {
    ConfiguredLimits limits;
    for (const Limit limit : all_limits) limits[limit] = limit == Limit::cpu ? 90 : 100;
    return limits;
}

/// The greatest allowed values: cpu in percent, counts in streams, bandwidth in Mbit/s (10^6 bit).
/// Always greater than 0; a limit that is switched off has none, nor has a share of a link whose
/// speed is not known.
using Limits = PerLimit<std::optional<double>>;

}  // namespace wcs_node_agent
