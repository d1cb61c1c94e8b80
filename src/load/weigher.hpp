// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/arrival_evenness.hpp"
#include "load/fleet_level.hpp"
#include "load/node_load.hpp"
#include "load/recent_sessions.hpp"
#include "load/slow_mean.hpp"
#include "load/slow_ratio.hpp"
#include "load/weight_effect.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/weight.hpp>

#include <chrono>
#include <optional>

namespace wcs_node_agent {

/// Makes the weight of a node whose state is decided. It remembers which sessions came lately, what
/// a session costs, and since when the node is up. What is unknown adds nothing; a clock that steps
/// back stands still. Allocates nothing.
class Weigher {
 public:
    /// By its configuration `expected` sessions, greater than 0, fill the node.
    Weight weigh(const WeightSettings& settings, double expected, const NodeLoad& load);

 private:
    using Time = std::chrono::nanoseconds;

    struct Look {
        Time passed;                     // since the last
        std::optional<double> sessions;  // that there are
        SessionChange change;            // since the last
    };
    Look observe(const WeightSettings& settings, double expected, const NodeLoad& load);
    void follow(NodeState state, const std::optional<double>& sessions, double expected);
    double ramp(std::chrono::nanoseconds length) const;
    void learn(const WeightSettings& settings, const Weight& weight, double used, const Look& look);
    void hold(const WeightSettings& settings, Weight& weight, int percent);
    void forget_arrivals();
    double trust() const;
    double trend(const WeightSettings& settings, double used,
                 const std::optional<double>& level) const;
    double cost(double expected) const;
    std::optional<double> connection_room(const WeightSettings& settings, const NodeLoad& load,
                                          const Weight& weight, double cost) const;

    std::optional<Clock::time_point> last_;
    Time now_{};  // since the first moment, by steps of the clock forward
    std::optional<Time> up_since_;
    bool knows_sessions_ = false;  // they have been known at all
    bool was_at_work_ = false;     // the node was when the agent began, and is up ever since
    RecentSessions recent_;
    SlowRatio cost_;         // utilisation a session
    SlowRatio connections_;  // connections a session
    SlowMean quick_;         // utilisation, of recent_sessions
    WeightEffect effect_;
    ArrivalEvenness evenness_;
    FleetLevel level_;
    Time said_{};              // when the weight was last what it should be
    int percent_ = 0;          // that this policy said last; 0: none of a node that is up
    bool is_bounded_ = false;  // HAProxy has a maxconn of this agent
};

}  // namespace wcs_node_agent
