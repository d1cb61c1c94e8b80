// SPDX-License-Identifier: Apache-2.0
#include "load/policy.hpp"

#include "load/capacity.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wcs_node_agent {

namespace {

/// What is known of a limit's value at this moment.
struct Known {
    std::optional<HeldCount> last;   // the whole value, and when it was known
    std::optional<double> at_least;  // a part of it, as it is now
    std::optional<double> so_far;    // of less than the window
    std::string why;                 // why the whole value is not known now
    bool silent = false;             // because WCS is silent
};

std::optional<double> times(std::optional<double> value, double factor) {
    if (!value) return std::nullopt;
    return *value * factor;
}

Known known_count(const std::optional<HeldCount>& last, const std::optional<double>& at_least,
                  std::chrono::nanoseconds stale_after, const WcsState& wcs,
                  Clock::time_point now) {
    const bool has_page = wcs.page_at && now - *wcs.page_at <= stale_after;
    return {.last = last,
            .at_least = has_page ? at_least : std::nullopt,
            .so_far = {},
            .why = "wcs: " + (wcs.fault_text.empty() ? "no counts" : wcs.fault_text),
            .silent = wcs.silent || !wcs.asked};
}

/// factor: from the rates' unit to the limit's.
Known known_rate(std::optional<HeldCount>& last, const Rates& rates,
                 std::optional<double> Means::*rate, double factor, const std::string& why,
                 Clock::time_point now) {
    if (const auto value = times(rates.*rate, factor)) last = HeldCount{*value, now};
    return {.last = last,
            .at_least = times(rates.at_least.*rate, factor),
            .so_far = times(rates.so_far.*rate, factor),
            .why = why.empty() ? "not measured yet" : why};
}

std::optional<double> share_of(const std::optional<ConfiguredLimit>& limit) {
    if (!limit || !limit->is_share) return std::nullopt;
    return limit->value;
}

std::string describe(Limit limit, const LimitReading& reading) {
    const int decimals = is_wcs_count(limit) ? 0 : 1;
    return fmt::format("{} {}{:.{}f} of {:g}", to_string(limit),
                       reading.at_least ? "at least " : "", *reading.value, decimals,
                       *reading.maximum);
}

/// Rounded to the nearest, but a node that may take streams never says 0, which would mean drain.
int weight_at(double utilisation) {
    return std::clamp(static_cast<int>(std::lround(100 * (1 - utilisation))), 1, 100);
}

/// "band_in, band_out unknown: WHY; ..."
std::string unknown_text(const PerLimit<LimitReading>& readings) {
    std::vector<std::string> parts;
    for (const auto limit : all_limits) {
        const auto& why = readings[limit].unknown;
        const auto has_same = [&](Limit other) { return readings[other].unknown == why; };
        if (why.empty() || *std::ranges::find_if(all_limits, has_same) != limit) continue;
        std::vector<std::string_view> names;
        for (const auto other : all_limits)
            if (has_same(other)) names.push_back(to_string(other));
        parts.push_back(fmt::format("{} unknown: {}", fmt::join(names, ", "), why));
    }
    return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace

Policy::Judged Policy::judge(Limit limit, const PolicySettings& settings, const Measured& measured,
                             const WcsState& wcs, Clock::time_point now) {
    const auto known = [&]() -> Known {
        const auto& counts = wcs.counts;
        switch (limit) {
            case Limit::cpu:
                return known_rate(last_[limit], measured.rates, &Means::cpu_utilisation, 100,
                                  measured.cpu_unknown, now);
            case Limit::publishers:
                return known_count(wcs.publishers, counts.publishers_at_least, settings.stale_after,
                                   wcs, now);
            case Limit::subscribers:
                return known_count(wcs.subscribers, counts.subscribers_at_least,
                                   settings.stale_after, wcs, now);
            case Limit::hls:
                return known_count(wcs.hls, counts.hls_at_least, settings.stale_after, wcs, now);
            case Limit::band_in:
                return known_rate(last_[limit], measured.rates, &Means::bits_in, 1e-6,
                                  measured.bandwidth_unknown, now);
            case Limit::band_out:
                return known_rate(last_[limit], measured.rates, &Means::bits_out, 1e-6,
                                  measured.bandwidth_unknown, now);
        }
        return {};
    }();
    Judged judged;
    auto& reading = judged.reading;
    if (known.last && now - known.last->at <= settings.stale_after) {
        reading.value = known.last->value;
    } else if (known.so_far) {
        reading.value = known.so_far;
        judged.is_provisional = true;
    } else {
        judged.otherwise = known.silent ? settings.when_stale : settings.when_unreadable;
        reading.unknown = known.why;
        if (known.last && judged.otherwise == WhenStale::hold) reading.value = known.last->value;
    }
    if (known.at_least && *known.at_least > reading.value.value_or(-1)) {
        reading.value = known.at_least;
        reading.at_least = true;
    }
    return judged;
}

Verdict Policy::decide(const PolicySettings& settings, const Measured& measured,
                       const WcsState& wcs, Clock::time_point now) {
    const auto maxima = effective_limits(settings.limits, measured.link_capacity);
    Verdict verdict;
    std::optional<Limit> taken_out_by;
    auto otherwise = WhenStale::ignore;
    double highest = 0;
    double evidence = 0;  // for a `down`: less than the window is none, but keeps a node out
    std::optional<Limit> evident;
    for (const auto limit : all_limits) {
        auto judged = judge(limit, settings, measured, wcs, now);
        auto& reading = verdict.readings[limit] = std::move(judged.reading);
        reading.maximum = maxima[limit];
        reading.share = share_of(settings.limits[limit]);
        if (!settings.limits[limit]) {
            reading.unknown.clear();
            continue;
        }
        if (!reading.maximum) {
            reading.unknown = "the link's speed is not known";
            judged.otherwise = settings.when_unreadable;
        } else if (reading.value) {
            reading.utilisation = *reading.value / *reading.maximum;
            if (!verdict.bottleneck || *reading.utilisation > highest) {
                verdict.bottleneck = limit;
                highest = *reading.utilisation;
            }
            const bool is_evidence = tripped_ || !judged.is_provisional;
            if (is_evidence && (!evident || *reading.utilisation > evidence)) {
                evident = limit;
                evidence = *reading.utilisation;
            }
        }
        const bool takes_out =
            judged.otherwise == WhenStale::down || judged.otherwise == WhenStale::drain;
        if (!reading.unknown.empty() && takes_out && otherwise != WhenStale::down) {
            otherwise = judged.otherwise;
            taken_out_by = limit;
        }
    }

    tripped_ = evidence >= (tripped_ ? settings.recover : 1.0);
    if (tripped_) {
        verdict.state = NodeState::down;
        verdict.weight = 0;
        verdict.bottleneck = evident;
        verdict.reason = describe(*evident, verdict.readings[*evident]);
    } else if (taken_out_by) {
        verdict.state = otherwise == WhenStale::down ? NodeState::down : NodeState::drain;
        verdict.weight = 0;
        const auto& why = verdict.readings[*taken_out_by].unknown;
        verdict.reason = is_wcs_count(*taken_out_by)
                             ? why
                             : fmt::format("{} unknown: {}", to_string(*taken_out_by), why);
    } else {
        verdict.weight = weight_at(highest);
        verdict.reason = unknown_text(verdict.readings);
    }
    return verdict;
}

}  // namespace wcs_node_agent
