// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/agent.hpp"
#include "balance-sim/balancer.hpp"
#include "balance-sim/trace.hpp"
#include "balance-sim/workload.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace wcs_node_agent::balance {

/// One run, complete.
struct Options {
    std::size_t nodes = 10;
    unsigned balancers = 1;
    const AgentPolicy* policy = nullptr;  // never null
    Workload workload{};
    std::optional<std::vector<Arrival>> trace = {};  // who comes, in place of the workload's
    std::vector<double> capacity{1};                 // of the nodes in turn
    std::uint64_t seed = 1;
    double hours = 1;
    double warm_up = 1200;        // s before what is measured
    double mean_length = 300;     // s, of a session
    double room = 100;            // sessions of mean cost that a node of capacity 1 has room for
    double agent_inter = 5;       // s
    bool spreads_checks = false;  // evenly, as HAProxy starts them; else at random phases
    double check_inter = 2;       // s, of the TCP health check
    double sample_interval = 1;   // s, of the agent
    double gain = 1;              // of a policy that knows the fleet
    AgentTimes times{};
    BalancerSettings balancer{};
};

}  // namespace wcs_node_agent::balance
