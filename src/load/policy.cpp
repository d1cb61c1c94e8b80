// SPDX-License-Identifier: Apache-2.0
#include "load/policy.hpp"

#include "load/capacity.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

/// A count of WCS, while it can be relied on.
std::optional<double> current(const std::optional<HeldCount>& count, const PolicySettings& settings,
                              Clock::time_point now) {
    if (!count) return std::nullopt;
    if (now - count->at > settings.stale_after && settings.when_stale != WhenStale::hold)
        return std::nullopt;
    return count->value;
}

PerLimit<std::optional<double>> values_of(const PolicySettings& settings, const Rates& rates,
                                          const WcsState& wcs, Clock::time_point now) {
    const auto scaled = [](std::optional<double> value, double factor) -> std::optional<double> {
        if (!value) return std::nullopt;
        return *value * factor;
    };
    PerLimit<std::optional<double>> values;
    values[Limit::cpu] = scaled(rates.cpu_utilisation, 100);
    values[Limit::publishers] = current(wcs.publishers, settings, now);
    values[Limit::subscribers] = current(wcs.subscribers, settings, now);
    values[Limit::hls] = current(wcs.hls, settings, now);
    values[Limit::band_in] = scaled(rates.bits_in, 1e-6);
    values[Limit::band_out] = scaled(rates.bits_out, 1e-6);
    return values;
}

std::optional<double> share_of(const std::optional<ConfiguredLimit>& limit) {
    if (!limit || !limit->is_share) return std::nullopt;
    return limit->value;
}

std::string describe(Limit limit, const LimitReading& reading) {
    const int decimals = is_wcs_count(limit) ? 0 : 1;
    return fmt::format("{} {:.{}f} of {:g}", to_string(limit), *reading.value, decimals,
                       *reading.maximum);
}

/// Rounded to the nearest, but a node that may take streams never says 0, which would mean drain.
int weight_at(double utilisation) {
    return std::clamp(static_cast<int>(std::lround(100 * (1 - utilisation))), 1, 100);
}

}  // namespace

Verdict Policy::decide(const PolicySettings& settings, std::optional<double> link_capacity,
                       const Rates& rates, const WcsState& wcs, Clock::time_point now) {
    const auto values = values_of(settings, rates, wcs, now);
    const auto maxima = effective_limits(settings.limits, link_capacity);
    Verdict verdict;
    bool count_unknown = false;
    double highest = 0;
    for (const auto limit : all_limits) {
        auto& reading = verdict.readings[limit];
        reading = {.value = values[limit],
                   .maximum = maxima[limit],
                   .utilisation = {},
                   .share = share_of(settings.limits[limit])};
        if (!reading.maximum) continue;
        if (!reading.value) {
            count_unknown |= is_wcs_count(limit);
            continue;
        }
        reading.utilisation = *reading.value / *reading.maximum;
        if (!verdict.bottleneck || *reading.utilisation > highest) {
            verdict.bottleneck = limit;
            highest = *reading.utilisation;
        }
    }

    tripped_ = highest >= (tripped_ ? settings.recover : 1.0);
    if (tripped_) {
        verdict.state = NodeState::down;
        verdict.weight = 0;
        verdict.reason = describe(*verdict.bottleneck, verdict.readings[*verdict.bottleneck]);
        return verdict;
    }
    verdict.weight = weight_at(highest);
    if (!count_unknown) return verdict;
    if (settings.when_stale == WhenStale::down || settings.when_stale == WhenStale::drain) {
        verdict.state = settings.when_stale == WhenStale::down ? NodeState::down : NodeState::drain;
        verdict.weight = 0;
        verdict.reason = "wcs: " + (wcs.fault_text.empty() ? "no counts" : wcs.fault_text);
    }
    return verdict;
}

}  // namespace wcs_node_agent
