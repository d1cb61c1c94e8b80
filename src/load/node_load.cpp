// SPDX-License-Identifier: Apache-2.0
#include "load/node_load.hpp"

#include "load/page_value.hpp"

#include <algorithm>

namespace wcs_node_agent {

namespace {

constexpr double documented_limit = 100;  // streams, of each count by default

void raise(std::optional<double>& highest, double value) {
    highest = std::max(highest.value_or(value), value);
}

}  // namespace

Utilisations utilisations_of(const Verdict& verdict) {
    Utilisations highest;
    bool is_whole = true;
    for (const auto& reading : verdict.readings) {
        const bool is_of_sessions = !reading.soft && reading.held != LimitValue::page;
        if (is_of_sessions && ((reading.at_least && reading.maximum) || !reading.unknown.empty()))
            is_whole = false;
        if (!reading.utilisation) continue;
        raise(highest.all, *reading.utilisation);
        if (!reading.soft) raise(highest.hard, *reading.utilisation);
        if (is_of_sessions) raise(highest.by_sessions, *reading.utilisation);
    }
    if (!is_whole) highest.by_sessions.reset();
    return highest;
}

double expected_capacity(const Limits& limits) {
    std::optional<double> lowest;
    for (const auto& limit : limits)
        if (limit.unit == LimitUnit::streams && limit.maximum)
            lowest = std::min(lowest.value_or(limit.maximum->value), limit.maximum->value);
    return lowest.value_or(documented_limit);
}

SessionCounts session_counts(const Verdict& verdict) {
    SessionCounts counts;
    for (const auto& reading : verdict.readings) {
        if (reading.at_least) continue;
        if (reading.held == LimitValue::publishers) counts.publishers = reading.value;
        if (reading.held == LimitValue::subscribers) counts.subscribers = reading.value;
        if (reading.held == LimitValue::hls) counts.hls = reading.value;
    }
    return counts;
}

std::optional<double> connections_of(const std::vector<std::string>& names, const WcsState& wcs,
                                     std::chrono::nanoseconds stale_after, Clock::time_point now) {
    const bool is_fresh = wcs.page_at && now - *wcs.page_at - wcs.page_pause <= stale_after;
    if (names.empty() || !is_fresh) return std::nullopt;
    const auto sum = page_sum(names, *wcs.page);
    return sum ? std::optional(*sum) : std::nullopt;
}

}  // namespace wcs_node_agent
