// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/recent_sessions.hpp"
#include "load/slow_mean.hpp"

#include <chrono>
#include <optional>

namespace wcs_node_agent {

/// The utilisation of the other nodes, as far as one of them sees it. Under HAProxy's roundrobin a
/// node gets of all that comes its weight's share of all weights, so what comes here for each
/// percent says how full the others are: the fuller, the lower are their weights. This follows a
/// node like this one that says what it has free, and to which as much comes for each percent. In
/// whatever way this node is above or below it, the others are not.
class FleetLevel {
 public:
    struct Moment {
        double used = 0;      // utilisation, with what recent sessions will add
        double sessions = 0;  // that there are
        SessionChange change;
        double percent = 0;       // weight by which they came, above 0
        double idle_percent = 0;  // that this node would say if it were idle, above 0
    };
    struct Windows {
        std::chrono::nanoseconds arrivals{};  // of what comes for a percent
        std::chrono::nanoseconds sessions{};  // of what a session takes and how long it stays
    };

    /// What is so since the last moment, which `passed` ago.
    void observe(const Moment& moment, std::chrono::nanoseconds passed, const Windows& windows);

    /// What comes is not known, or nothing can come: it begins again at what the node has then.
    void interrupt();

    /// 0 to 1; none until `settled` of moments have been seen, and sessions that came and went.
    std::optional<double> value(std::chrono::nanoseconds settled) const;

 private:
    std::optional<double> level_;
    std::chrono::nanoseconds observed_{};
    SlowMean came_by_percent_;         // sessions a second
    SlowMean used_, sessions_, left_;  // left: sessions a second
};

/// The share of what would come that a node gives up which is so far above the fleet (utilisation),
/// below 0 if it is below: -0.75 to 0.75.
double share_given_up(double above);

}  // namespace wcs_node_agent
