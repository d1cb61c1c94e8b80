// SPDX-License-Identifier: Apache-2.0
#include "load/weigher.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace wcs_node_agent {

namespace {

/// HAProxy's highest weight is 256, of a configured one of 100 it takes no more than this either.
constexpr double highest_percent = 256;

/// Up to this utilisation maxconn lets sessions in: who leaves is followed by others of any cost
/// before the agent is asked again, and what is full to the brim is over its limit half of the
/// time.
constexpr double fill = 0.97;

/// Whatever a measurement gave: a ratio between 0 and one that is more than enough.
std::optional<double> plausible(const std::optional<double>& utilisation) {
    constexpr double most = 1e3;
    if (!utilisation || std::isnan(*utilisation)) return std::nullopt;
    return std::clamp(*utilisation, 0.0, most);
}

/// Rounded to the nearest, but a node that may take sessions never says 0, which would mean drain.
int to_percent(double percent, double highest) {
    return static_cast<int>(std::lround(std::clamp(percent, 1.0, highest)));
}

/// Who sets the number of balancers says that they are used alike: each has its part, and what
/// chance makes of it while there is room. Of those that ask one may be a standby, and which
/// connections are whose is not known: so each may keep all that there are, and has its part of the
/// room, which is at least one connection where there is room for one at all.
unsigned greatest_connections(double present, double room, std::size_t balancers, bool used_alike) {
    constexpr double rounding = 1e-9;  // of the divisions that made the room
    const auto parts = static_cast<double>(balancers);
    double most = 0;
    if (used_alike) {
        const double by_chance = parts > 1 ? std::sqrt((present + room) / parts) : 0;
        most = std::ceil(present / parts + std::min(room, room / parts + by_chance));
    } else {
        const double part = std::floor(room / parts + rounding);
        most = std::floor(present) + (room + rounding >= 1 ? std::max(part, 1.0) : 0);
    }
    return static_cast<unsigned>(std::clamp(most, 1.0, double{unbounded_connections}));
}

}  // namespace

/// A node that has sessions when they are known first was at work before the agent: that is a start
/// of the agent, not of the node.
void Weigher::follow(NodeState state, const std::optional<double>& sessions, double expected) {
    constexpr double at_work = 0.05;  // of what fills the node
    if (sessions && !std::exchange(knows_sessions_, true))
        was_at_work_ = *sessions >= at_work * expected;
    if (state != NodeState::up) {
        up_since_.reset();
        was_at_work_ = false;
    } else if (!up_since_) {
        up_since_ = now_;
    }
}

void Weigher::observe(const WeightSettings& settings, double expected, const NodeLoad& load) {
    const auto passed = last_ ? std::max<Time>(load.at - *last_, Time::zero()) : Time::zero();
    last_ = load.at;
    now_ += passed;
    recent_.observe(load.sessions, now_, settings.recent_sessions);
    const auto sessions = load.sessions.sum();
    follow(load.is_out ? NodeState::drain : load.state, sessions, expected);
    if (!sessions) return;
    const double settled = *sessions - recent_.missing(now_, settings.recent_sessions);
    if (const auto utilisation = plausible(load.utilisation.by_sessions))
        cost_.observe({*utilisation, settled}, passed, settings.capacity_window);
    if (const auto connections = plausible_count(load.connections))
        connections_.observe({*connections, *sessions}, passed, settings.capacity_window);
}

/// A session that takes more than the node is no session.
double Weigher::cost(double expected) const { return std::min(cost_.value(1 / expected), 1.0); }

double Weigher::ramp(std::chrono::nanoseconds length) const {
    if (!up_since_ || was_at_work_ || length.count() <= 0) return 1;
    return std::min(1.0, Seconds(now_ - *up_since_) / Seconds(length));
}

/// How many more connections there is room for. One may carry none of the sessions, but not all
/// sessions come by one: a node that pulls from cameras has a hundred of them and no connection,
/// and takes its first viewer all the same. So one that comes is taken for one session at most.
std::optional<double> Weigher::connection_room(const WeightSettings& settings, const NodeLoad& load,
                                               const Weight& weight, double cost) const {
    const auto hard = plausible(load.utilisation.hard);
    if (!settings.maxconn || settings.policy != WeightPolicy::headroom ||
        load.state != NodeState::up || !hard || !plausible_count(load.connections))
        return std::nullopt;
    return std::max(0.0, fill - *hard - weight.added) / cost * std::max(1.0, connections_.value(1));
}

Weight Weigher::weigh(const WeightSettings& settings, double expected, const NodeLoad& load) {
    observe(settings, expected, load);
    const auto all = plausible(load.utilisation.all);
    const auto hard = plausible(load.utilisation.hard);
    const double used = all.value_or(0);
    const double session_cost = cost(expected);

    Weight weight;
    weight.policy = settings.policy;
    weight.raw = 100 * (1 - used);
    weight.capacity = settings.capacity.value_or(1 / session_cost);
    weight.reference = settings.capacity_reference.value_or(weight.capacity);
    weight.balancers =
        std::max<std::size_t>(settings.balancers > 0 ? settings.balancers : load.balancers, 1);
    if (settings.policy == WeightPolicy::headroom) {
        weight.recent = recent_.missing(now_, settings.recent_sessions);
        weight.added = hard ? session_cost * weight.recent : 0;
        weight.ramp = ramp(settings.ramp);
    }
    if (const auto room = connection_room(settings, load, weight, session_cost))
        weight.maxconn = greatest_connections(*load.connections, *room, weight.balancers,
                                              settings.balancers > 0);
    else if (is_bounded_ && load.state == NodeState::up)
        weight.maxconn = unbounded_connections;
    is_bounded_ = is_bounded_ || weight.maxconn;

    if (load.state != NodeState::up) {
        weight.percent = 0;
    } else if (settings.policy == WeightPolicy::proportional) {
        weight.percent = to_percent(weight.raw, 100);
    } else {
        const double with_recent = std::max(used, hard.value_or(0) + weight.added);
        const double free = std::min(1 - with_recent, weight.ramp);
        weight.percent =
            to_percent(100 * weight.capacity / weight.reference * free, highest_percent);
    }
    return weight;
}

}  // namespace wcs_node_agent
