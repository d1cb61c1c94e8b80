// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/dispatch.hpp"
#include "balance-sim/node.hpp"
#include "balance-sim/reply.hpp"

#include <wcs_node_agent/weight.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace wcs_node_agent::balance {

/// What an agent answers from. Times in seconds, rising.
class Agent {
 public:
    Agent() = default;
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;
    virtual ~Agent() = default;

    /// Looks at the node.
    virtual void sample(const Node& node, double now) = 0;

    /// The answer to a check: none before the first one is due.
    virtual std::optional<Reply> reply() const = 0;

    /// How it came about, if it was by what this project's default policy knows.
    virtual std::optional<Weight> weight() const { return std::nullopt; }
};

/// What the agent's configuration says of time; s.
struct AgentTimes {
    double window = 2;
    double recent_sessions = 20;
    double capacity_window = 300;
};

class Fleet;

struct AgentSettings {
    double capacity = 1;                   // of the node, which stretches its limits
    double room = 100;                     // sessions of a node of capacity 1
    unsigned balancers = 1;                // that ask
    std::optional<double> reference = {};  // sessions of room that are 100 %; none: the node's own
    AgentTimes times{};

    // For those that know the fleet.
    const Fleet* fleet = nullptr;  // outlives the agent
    Algorithm algorithm = Algorithm::roundrobin;
    double gain = 1;
};

/// What decides where sessions go.
enum class Knowledge {
    own_node,  // replies of agents that know no other
    fleet,     // replies of agents that know all nodes at the moment of each check
    checks,    // no agent: who knows all nodes as of their last checks sends each session
    all,       // no agent: who knows all nodes at this moment does
};

/// A way to answer, and the agent that does so.
struct AgentPolicy {
    std::string_view name;
    std::string_view about;
    std::unique_ptr<Agent> (*make)(const AgentSettings& settings);
    Knowledge knowledge = Knowledge::own_node;

    bool asks_haproxy() const { return knowledge < Knowledge::checks; }
};

std::span<const AgentPolicy> all_policies();

/// Null: there is none.
const AgentPolicy* policy_named(std::string_view name);

}  // namespace wcs_node_agent::balance
