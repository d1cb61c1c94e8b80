// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace wcs_node_agent {

/// How the weight of a node that is up is made.
enum class WeightPolicy {
    headroom,      // the free share of the node, with all that WeightSettings says
    proportional,  // 100 x (1 - utilisation of the bottleneck), and nothing else
};

constexpr std::string_view to_string(WeightPolicy policy) {
    return policy == WeightPolicy::proportional ? "proportional" : "headroom";
}

struct WeightSettings {
    WeightPolicy policy = WeightPolicy::headroom;

    /// For so long a session that came is counted beside the load that it shows, less and less;
    /// 0: not at all.
    std::chrono::nanoseconds recent_sessions = std::chrono::seconds(20);

    std::optional<double> capacity = {};            // sessions that fill the node; none: estimated
    std::optional<double> capacity_reference = {};  // sessions of room at which it says 100 %;
                                                    // none: its own capacity
    std::chrono::nanoseconds capacity_window = std::chrono::minutes(5);  // the estimate's time
                                                                         // constant

    /// Within so long a node that came up may say that all of it is free; 0: at once, as HAProxy
    /// has `slowstart`, and under both its roundrobin may give the node nothing for minutes.
    std::chrono::nanoseconds ramp{};

    bool maxconn = true;        // report how many connections HAProxy may have open
    std::size_t balancers = 0;  // server lines that share the room; 0: as many as sources ask

    bool operator==(const WeightSettings&) const = default;
};

/// A maxconn that bounds nothing. HAProxy has 0 for that, but who waits in its queue then, waits
/// on.
inline constexpr unsigned unbounded_connections = 1'000'000;

/// A weight and how it came about. Sessions are publishers, subscribers and HLS streams together.
struct Weight {
    WeightPolicy policy = WeightPolicy::headroom;
    int percent = 100;      // of the configured weight: 1 to 256 while up, else 0
    double raw = 100;       // percent: what the bottleneck leaves free, below 0 if it is exceeded
    double recent = 0;      // sessions whose load does not show yet
    double added = 0;       // utilisation that these are expected to add
    double capacity = 0;    // sessions that fill the node
    double reference = 0;   // sessions of room that are 100 %
    double effect = 1;      // sessions that come after the weight rose, by those after it fell
    double dispersion = 1;  // of what comes, variance by mean: below 1 more evenly than by chance
    std::optional<double> level = {};  // utilisation of the fleet, if what comes tells it
    double trend = 1;           // factor, above 0, by which load and arrivals of late change it
    bool held = false;          // a small change of the percentage waits
    double ramp = 1;            // 0..1: the greatest free share that the node may report by now
    std::size_t balancers = 1;  // among which the room is divided

    /// Connections that HAProxy may have open on one server line; none: nothing is said of it.
    std::optional<unsigned> maxconn = {};

    /// The same, unless it lifts a bound that there was.
    std::optional<unsigned> bound() const {
        return maxconn == unbounded_connections ? std::nullopt : maxconn;
    }
};

}  // namespace wcs_node_agent
