// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/learnt.hpp"
#include "balance-sim/node.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace wcs_node_agent::balance {

/// What one run shows.
struct Results {
    std::uint64_t sessions = 0;  // that came
    std::vector<std::uint64_t> sessions_by_node = {};
    std::vector<std::vector<double>> utilisation = {};  // of the nodes, at each look
    std::uint64_t refused = 0;       // got none of the nodes, or one that does not answer
    std::uint64_t queued = 0;        // waited in HAProxy's queue, refused in the end or not
    std::uint64_t redispatched = 0;  // went to a node that had just died, then to another
    double over_limit_node_seconds = 0;
    double session_seconds = 0;
    double hot_session_seconds = 0;   // on nodes above 0.8
    double over_session_seconds = 0;  // on nodes above 1.0
    double beyond_link_ratio = 0;     // of all that was asked of the nodes
    double mean_utilisation = 0;
    double highest_utilisation = 0;  // of any node at any moment
    double imbalance = 0;            // highest over mean utilisation, mean over time
    double highest_imbalance = 0;
    double oscillation = 0;                                 // see Measures
    double weight_changes_per_minute = 0;                   // of a node, as one balancer hears them
    std::map<double, double> utilisation_by_capacity = {};  // mean over time and nodes
    std::optional<double> join_seconds = {};                // until within 10 % of the mean
    bool joined = false;                                    // a node did join
    Learnt learnt = {};                                     // by the agents
    std::uint64_t events = 0;
};

/// Looks at the nodes once a second.
class Measures {
 public:
    /// keeps_looks: each look's utilisations are part of the results.
    Measures(std::size_t nodes, bool keeps_looks) : deviations_(nodes), keeps_looks_(keeps_looks) {
        so_far.sessions_by_node.resize(nodes);
    }

    /// All loads must have been advanced to this moment. The mean utilisation, by capacity.
    double look(std::span<const Node> nodes, double elapsed);

    /// The node begins now: look() notes when it has caught up.
    void follow_join(std::size_t node) { joining_ = node; }

    /// Amplitude of oscillation: that of the sine which has the variance over time of a node's
    /// distance from the fleet, root mean square over the nodes. Random arrivals alone leave one.
    void finish(Results& results) const;

    std::uint64_t weight_changes = 0;
    Results so_far{};

 private:
    struct Deviation {
        double count = 0, mean = 0, squares = 0;
    };

    struct Used {
        double sum = 0, node_seconds = 0;
    };

    std::vector<Deviation> deviations_;
    bool keeps_looks_;
    std::map<double, Used> by_capacity_;
    std::optional<std::size_t> joining_;
    double since_joining_ = 0;
    double seconds_ = 0, mean_sum_ = 0, imbalance_sum_ = 0, node_seconds_ = 0;
    double asked_ = 0, beyond_link_ = 0;
};

}  // namespace wcs_node_agent::balance
