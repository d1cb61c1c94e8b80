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
constexpr double fill = 0.965;

/// How much of what the load is above its quick mean the weight does not follow, where sessions
/// follow the weight strongly: else a step of a percent sends the node all that come, and the load
/// goes up and down by that.
constexpr double damping = 0.7;

/// Where the weight goes by the fleet, a change by no more than this share of it waits for
/// recent_sessions: by then it has gone, or grown.
constexpr double most_held = 0.2;

/// For so many halves of recent_sessions the fleet's level looks at what comes: by fewer arrivals
/// it would follow chance.
constexpr int arrivals_halves = 5;

/// A node that came up has a mean of its own after so many windows.
constexpr int settles_within = 3;

/// The window of what is learnt of sessions, by that of a session's cost.
constexpr int learning_windows = 6;

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

Weigher::Look Weigher::observe(const WeightSettings& settings, double expected,
                               const NodeLoad& load) {
    const auto passed = last_ ? std::max<Time>(load.at - *last_, Time::zero()) : Time::zero();
    last_ = load.at;
    now_ += passed;
    const auto change = recent_.observe(load.sessions, now_, settings.recent_sessions);
    const auto sessions = load.sessions.sum();
    follow(load.is_out ? NodeState::drain : load.state, sessions, expected);
    if (!sessions) return {passed, sessions, change};
    const double settled = *sessions - recent_.missing(now_, settings.recent_sessions);
    if (const auto utilisation = plausible(load.utilisation.by_sessions))
        cost_.observe({*utilisation, settled}, passed, settings.capacity_window);
    if (const auto connections = plausible_count(load.connections))
        connections_.observe({*connections, *sessions}, passed, settings.capacity_window);
    return {passed, sessions, change};
}

/// A session that takes more than the node is no session.
double Weigher::cost(double expected) const { return std::min(cost_.value(1 / expected), 1.0); }

double Weigher::ramp(std::chrono::nanoseconds length) const {
    if (!up_since_ || was_at_work_ || length.count() <= 0) return 1;
    return std::min(1.0, Seconds(now_ - *up_since_) / Seconds(length));
}

/// How surely what comes tells of the other nodes.
double Weigher::trust() const { return evenness_.value() * (1 - effect_.strength()); }

/// By what the load of late, and what comes, change a weight that is 1 - used.
double Weigher::trend(const WeightSettings& settings, double used,
                      const std::optional<double>& level) const {
    if (used >= 1) return 1;
    if (level) return 1 - trust() * share_given_up(used - *level);
    const bool has_mean =
        was_at_work_ ||
        (up_since_ && now_ - *up_since_ >= settles_within * settings.capacity_window);
    if (!has_mean) return 1;
    return 1 + effect_.strength() * damping * (used - quick_.value()) / (1 - used);
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

/// What came since the last weight came by it.
void Weigher::learn(const WeightSettings& settings, const Weight& weight, double used,
                    const Look& look) {
    if (percent_ == 0) quick_ = {};
    quick_.observe(used, look.passed, settings.recent_sessions);
    if (!look.sessions || percent_ == 0) return forget_arrivals();
    evenness_.observe(look.change.came, now_, settings.recent_sessions / 2);
    level_.observe({.used = used,
                    .sessions = *look.sessions,
                    .change = look.change,
                    .percent = static_cast<double>(percent_),
                    .idle_percent = 100 * weight.capacity / weight.reference},
                   look.passed,
                   {.arrivals = arrivals_halves * (settings.recent_sessions / 2),
                    .sessions = learning_windows * settings.capacity_window});
}

/// Says `percent`, or what was said last.
void Weigher::hold(const WeightSettings& settings, Weight& weight, int percent) {
    const bool is_small = std::abs(percent - percent_) <= most_held * trust() * percent_;
    weight.held =
        weight.level && is_small && percent != percent_ && now_ - said_ < settings.recent_sessions;
    weight.percent = weight.held ? percent_ : percent;
    if (!weight.held) said_ = now_;
}

/// None came, or how many is not known.
void Weigher::forget_arrivals() {
    evenness_.interrupt();
    effect_.interrupt();
    level_.interrupt();
}

Weight Weigher::weigh(const WeightSettings& settings, double expected, const NodeLoad& load) {
    const auto look = observe(settings, expected, load);
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
        learn(settings, weight, with_recent, look);
        weight.effect = effect_.ratio();
        weight.dispersion = evenness_.dispersion();
        if (trust() > 0) weight.level = level_.value(settles_within * settings.capacity_window);
        weight.trend = trend(settings, with_recent, weight.level);
        const double free = std::min((1 - with_recent) * weight.trend, weight.ramp);
        hold(settings, weight,
             to_percent(100 * weight.capacity / weight.reference * free, highest_percent));
        effect_.observe(weight.percent, look.change.came, now_, settings.recent_sessions / 2,
                        learning_windows * settings.capacity_window);
    }
    percent_ = settings.policy == WeightPolicy::headroom ? weight.percent : 0;
    return weight;
}

}  // namespace wcs_node_agent
