// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/node.hpp"

#include <optional>
#include <vector>

namespace wcs_node_agent::balance {

/// What nobody can know who sees one node: all of them, and what will come. A session counts at its
/// full height, though its load may not show yet. All 0 before the first refresh.
class Fleet {
 public:
    /// nodes: must outlive it. horizon: s, greater than 0: for so long a weight is made.
    Fleet(const std::vector<Node>& nodes, double horizon) : nodes_(nodes), horizon_(horizon) {}

    /// inflow: utilisation of a node of capacity 1 that comes in a second. now: s, rising. It looks
    /// four times a second at most, as all nodes are asked one by one.
    void refresh(double now, double inflow);

    double mean() const { return mean_; }          // utilisation, by capacity
    double sessions() const { return sessions_; }  // of a node, in the mean
    double share() const { return share_; }  // what the horizon brings, by capacity, spread evenly
    double level() const { return level_; }  // the same, filling the least used nodes first

 private:
    const std::vector<Node>& nodes_;
    double horizon_;
    std::optional<double> at_;
    double mean_ = 0, sessions_ = 0, share_ = 0, level_ = 0;
    std::vector<const Node*> by_use_;
};

}  // namespace wcs_node_agent::balance
