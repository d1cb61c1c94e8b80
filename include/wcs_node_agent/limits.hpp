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

/// The greatest allowed values: cpu in percent, counts in streams, bandwidth in Mbit/s (10^6 bit).
/// Always greater than 0; a limit that is switched off has none.
using Limits = PerLimit<std::optional<double>>;

}  // namespace wcs_node_agent
