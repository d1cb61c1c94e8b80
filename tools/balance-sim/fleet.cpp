// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/fleet.hpp"

#include <algorithm>

namespace wcs_node_agent::balance {

namespace {

constexpr double fresh_for = 0.25;  // s

/// Where the nodes that it reaches stand once so much was poured over them. by_use: the least used
/// first.
double level_of(const std::vector<const Node*>& by_use, double poured) {
    double capacity = 0, contents = poured, level = 0;
    for (const auto* node : by_use) {
        if (capacity > 0 && node->used() >= level) break;
        capacity += node->capacity;
        contents += node->reserved;
        level = contents / capacity;
    }
    return level;
}

}  // namespace

void Fleet::refresh(double now, double inflow) {
    if (at_ && now - *at_ < fresh_for) return;
    at_ = now;
    by_use_.clear();
    double reserved = 0, capacity = 0, sessions = 0;
    for (const auto& node : nodes_) {
        if (!node.takes_sessions()) continue;
        by_use_.push_back(&node);
        reserved += node.reserved;
        capacity += node.capacity;
        sessions += node.sessions;
    }
    if (by_use_.empty()) return;
    std::ranges::sort(by_use_, {}, &Node::used);
    mean_ = reserved / capacity;
    sessions_ = sessions / static_cast<double>(by_use_.size());
    share_ = inflow * horizon_ / capacity;
    level_ = level_of(by_use_, inflow * horizon_);
}

}  // namespace wcs_node_agent::balance
