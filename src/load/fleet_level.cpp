// SPDX-License-Identifier: Apache-2.0
#include "load/fleet_level.hpp"

#include <wcs_node_agent/clock.hpp>

#include <algorithm>

namespace wcs_node_agent {

namespace {

/// Where sessions come by turns: else a difference is gone no sooner than they end.
constexpr double steepness = 16;
constexpr double most_given_up = 0.75;

}  // namespace

double share_given_up(double above) {
    return std::clamp(steepness * above, -most_given_up, most_given_up);
}

void FleetLevel::observe(const Moment& moment, std::chrono::nanoseconds passed,
                         const Windows& windows) {
    const double seconds = Seconds(passed).count();
    if (seconds <= 0) return;
    used_.observe(moment.used, passed, windows.sessions);
    sessions_.observe(moment.sessions, passed, windows.sessions);
    left_.observe(moment.change.left / seconds, passed, windows.sessions);
    came_by_percent_.observe(moment.change.came / moment.percent / seconds, passed,
                             windows.arrivals);
    observed_ += passed;
    if (!level_) level_ = std::clamp(moment.used, 0.0, 1.0);
    if (sessions_.value() <= 0) return;
    // d level / dt = comes (1 - level) - leaves level, by the implicit Euler method: 0 to 1 always.
    const double cost = used_.value() / sessions_.value();
    const double comes = cost * came_by_percent_.value() * moment.idle_percent;  // 1/s, if idle
    const double leaves = left_.value() / sessions_.value();                     // 1/s
    level_ = (*level_ + comes * seconds) / (1 + (comes + leaves) * seconds);
}

void FleetLevel::interrupt() {
    level_.reset();
    came_by_percent_ = {};
}

std::optional<double> FleetLevel::value(std::chrono::nanoseconds settled) const {
    return observed_ >= settled && left_.value() > 0 ? level_ : std::nullopt;
}

}  // namespace wcs_node_agent
