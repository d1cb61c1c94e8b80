// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/central.hpp"

#include "balance-sim/fleet.hpp"

#include <algorithm>
#include <cmath>

namespace wcs_node_agent::balance {

namespace {

/// What the node lacks, of a node of capacity 1, to the level that the next arrivals will reach.
double lacking(const Fleet& fleet, const Node& node) {
    return std::max(0.0, fleet.level() - node.used()) * node.capacity;
}

/// Where weights are shares of what arrives: each node gets what it lacks.
double weight_by_arrivals(const Fleet& fleet, const Node& node) {
    constexpr double mean = 64;  // above a quarter of the highest a node lacks too much to say it
    return mean * lacking(fleet, node) / fleet.share();
}

/// Where weights are shares of all sessions: the fewest connections by weight are where the least
/// is used, the more so the greater the gain.
double weight_by_sessions(const Fleet& fleet, const Node& node, double gain) {
    constexpr double mean = 128, least = 0.01;
    const double sessions = (node.sessions + 1) / (fleet.sessions() + 1);
    return mean * sessions * std::pow(fleet.mean() / std::max(node.used(), least), gain);
}

class Central : public Agent {
 public:
    Central(const AgentSettings& settings, bool bounds) : settings_(settings), bounds_(bounds) {}

    void sample(const Node& node, double) override {
        const auto& fleet = *settings_.fleet;
        const double weight = settings_.algorithm == Algorithm::leastconn
                                  ? weight_by_sessions(fleet, node, settings_.gain)
                                  : weight_by_arrivals(fleet, node);
        reply_ = Reply{.up = node.takes_sessions(),
                       .weight = static_cast<unsigned>(
                           std::lround(std::clamp(weight, 1.0, double{most_weight})))};
        if (bounds_) reply_->maxconn = most_connections(node);
    }

    std::optional<Reply> reply() const override { return reply_; }

 private:
    /// What is there, and what it lacks in sessions of mean cost.
    unsigned most_connections(const Node& node) const {
        const double more = std::ceil(lacking(*settings_.fleet, node) * settings_.room);
        return static_cast<unsigned>(
            std::max(1.0, std::ceil((node.sessions + more) / settings_.balancers)));
    }

    AgentSettings settings_;
    bool bounds_;
    std::optional<Reply> reply_;
};

}  // namespace

std::unique_ptr<Agent> make_central(const AgentSettings& settings) {
    return std::make_unique<Central>(settings, false);
}

std::unique_ptr<Agent> make_central_with_maxconn(const AgentSettings& settings) {
    return std::make_unique<Central>(settings, true);
}

}  // namespace wcs_node_agent::balance
