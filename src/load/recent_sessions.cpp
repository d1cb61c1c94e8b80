// SPDX-License-Identifier: Apache-2.0
#include "load/recent_sessions.hpp"

#include <algorithm>
#include <cmath>

namespace wcs_node_agent {

namespace {

constexpr std::array all_counts{&SessionCounts::publishers, &SessionCounts::subscribers,
                                &SessionCounts::hls};

double ratio(std::chrono::nanoseconds part, std::chrono::nanoseconds whole) {
    return static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

}  // namespace

std::optional<double> plausible_count(const std::optional<double>& count) {
    constexpr double most = 1e9;
    return count && *count >= 0 && *count <= most ? count : std::nullopt;
}

std::optional<double> SessionCounts::sum() const {
    std::optional<double> all;
    for (const auto count : all_counts)
        if (const auto known = plausible_count(this->*count)) all = all.value_or(0) + *known;
    return all;
}

SessionChange RecentSessions::observe(const SessionCounts& counts, Time now,
                                      std::chrono::nanoseconds period) {
    const double before = last_.sum().value_or(0);
    SessionChange change;
    for (const auto count : all_counts) {
        const auto known = plausible_count(counts.*count);
        const auto growth = known && last_.*count ? *known - *(last_.*count) : 0.0;
        (growth > 0 ? change.came : change.left) += std::abs(growth);
        last_.*count = known;
    }
    if (change.left > 0) keep(1 - change.left / before);
    if (change.came > 0 && period.count() > 0) add(change.came, now, period);
    return change;
}

void RecentSessions::add(double sessions, Time now, std::chrono::nanoseconds period) {
    auto& group = groups_[newest_];
    if (now - group.came < period / most_groups) {
        group.sessions += sessions;
    } else {
        newest_ = (newest_ + 1) % most_groups;
        groups_[newest_] = {now, sessions};
    }
}

void RecentSessions::keep(double share) {
    for (auto& group : groups_) group.sessions *= std::clamp(share, 0.0, 1.0);
}

double RecentSessions::missing(Time now, std::chrono::nanoseconds period) const {
    if (period.count() <= 0) return 0;
    double sum = 0;
    for (const auto& [came, sessions] : groups_)
        if (now - came < period) sum += sessions * (1 - ratio(now - came, period));
    return std::min(sum, last_.sum().value_or(0));
}

}  // namespace wcs_node_agent
