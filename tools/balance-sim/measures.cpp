// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/measures.hpp"

#include "balance-sim/limits.hpp"

#include <algorithm>
#include <cmath>

namespace wcs_node_agent::balance {

namespace {

constexpr double hot = 0.8;
constexpr double caught_up = 0.9;  // of the mean

}  // namespace

double Measures::look(std::span<const Node> nodes, double elapsed) {
    if (keeps_looks_) {
        auto& row = so_far.utilisation.emplace_back();
        for (const auto& node : nodes) row.push_back(utilisation(node));
    }
    double load = 0, capacity = 0, highest = 0;
    for (const auto& node : nodes) {
        if (!node.takes_sessions()) continue;
        const double used = utilisation(node);
        load += used * node.capacity;
        capacity += node.capacity;
        highest = std::max(highest, used);
        beyond_link_ += std::max(0.0, used - link_by_limit) * node.capacity * elapsed;
        const double sessions = node.sessions * elapsed;
        so_far.session_seconds += sessions;
        if (used > hot) so_far.hot_session_seconds += sessions;
        if (used > 1) {
            so_far.over_session_seconds += sessions;
            so_far.over_limit_node_seconds += elapsed;
        }
        node_seconds_ += elapsed;
        auto& of_its_kind = by_capacity_[node.capacity];
        of_its_kind.sum += used * elapsed;
        of_its_kind.node_seconds += elapsed;
    }
    asked_ += load * elapsed;
    if (load <= 0) return 0;
    const double mean = load / capacity;
    seconds_ += elapsed;
    mean_sum_ += mean * elapsed;
    imbalance_sum_ += highest / mean * elapsed;
    so_far.highest_imbalance = std::max(so_far.highest_imbalance, highest / mean);
    so_far.highest_utilisation = std::max(so_far.highest_utilisation, highest);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!nodes[i].takes_sessions()) continue;
        auto& [count, own_mean, squares] = deviations_[i];
        const double off = utilisation(nodes[i]) - mean;
        const double from_mean = off - own_mean;
        ++count;
        own_mean += from_mean / count;
        squares += from_mean * (off - own_mean);
    }
    if (!joining_) return mean;
    since_joining_ += elapsed;
    if (utilisation(nodes[*joining_]) < caught_up * mean) return mean;
    so_far.join_seconds = since_joining_;
    joining_.reset();
    return mean;
}

void Measures::finish(Results& results) const {
    results = so_far;
    if (seconds_ <= 0) return;
    results.mean_utilisation = mean_sum_ / seconds_;
    results.imbalance = imbalance_sum_ / seconds_;
    for (const auto& [capacity, used] : by_capacity_)
        results.utilisation_by_capacity[capacity] = used.sum / used.node_seconds;
    results.beyond_link_ratio = beyond_link_ / asked_;
    double variance = 0, nodes = 0;
    for (const auto& [count, mean, squares] : deviations_) {
        if (count < 2) continue;
        variance += squares / count;
        ++nodes;
    }
    if (nodes > 0) results.oscillation = std::sqrt(2 * variance / nodes);
    results.weight_changes_per_minute = static_cast<double>(weight_changes) / node_seconds_ * 60;
}

}  // namespace wcs_node_agent::balance
