// SPDX-License-Identifier: Apache-2.0
// Engine: what goes wrong with nodes and agents.
#include "balance-sim/engine.hpp"

#include <algorithm>

namespace wcs_node_agent::balance {

namespace {

constexpr double soonest_return = 1, latest_return = 5;  // s, of a session whose node died
constexpr int checks_to_fall = 3, checks_to_rise = 2;    // HAProxy's defaults

}  // namespace

void Engine::plan_faults() {
    constexpr ServerId first = 0;
    const auto count = static_cast<ServerId>(nodes_.size());
    switch (options_.workload.fault) {
        case Fault::none:
            break;
        case Fault::join:
            events_.plan(fault_at, EventKind::node_joins, count - 1);
            break;
        case Fault::death:
            events_.plan(fault_at, EventKind::node_dies, first);
            events_.plan(fault_at + death_lasts, EventKind::node_returns, first);
            break;
        case Fault::silence:
            events_.plan(fault_at, EventKind::wcs_hangs, first);
            events_.plan(fault_at + silence_lasts, EventKind::wcs_answers, first);
            break;
        case Fault::restarts:
            for (ServerId id = 0; id < count; ++id) {
                const double at = fault_at + restarts_last * id / count;
                events_.plan(at, EventKind::agent_stops, id);
                events_.plan(at + restart_lasts, EventKind::agent_starts, id);
            }
            break;
    }
}

/// Its sessions come again by themselves.
void Engine::die(ServerId node_id) {
    auto& node = nodes_[node_id];
    node.alive = false;
    for (SessionId id = 0; id < sessions_.size(); ++id) {
        auto& session = sessions_[id];
        if (session.stage != Stage::running || session.node != node_id) continue;
        leave_node(session);
        balancers_[session.balancer]->release(node_id, now_);
        ++session.generation;  // what was planned for it is void
        session.stage = Stage::waiting;
        session.demand.length =
            std::max(session.demand.length - (now_ - session.since), soonest_return);
        session.demand.ramp = latest_return;
        events_.plan(now_ + arrivals_.uniform(soonest_return, latest_return), EventKind::retry, id,
                     session.generation);
    }
    node.load.clear();
    update_most_free(node_id);
    plan_notices(node_id, checks_to_fall);
}

void Engine::come_back(ServerId node) {
    nodes_[node].alive = true;
    start_agent(node);
    update_most_free(node);
    plan_notices(node, checks_to_rise);
}

/// Health checks go on at a phase of their own.
void Engine::plan_notices(ServerId node, int checks) {
    for (std::uint32_t b = 0; b < options_.balancers; ++b) {
        const double last = phases_.uniform() + checks - 1;
        events_.plan(now_ + last * options_.check_inter, EventKind::notices, b, node);
    }
}

/// One that knows nothing yet.
void Engine::start_agent(ServerId node) {
    nodes_[node].agent_runs = true;
    AgentSettings settings{.capacity = nodes_[node].capacity,
                           .room = options_.room,
                           .balancers = options_.balancers,
                           .times = options_.times,
                           .fleet = &fleet_,
                           .algorithm = options_.balancer.algorithm,
                           .gain = options_.gain};
    // Nodes of different size have one setting in common.
    if (options_.capacity.size() > 1) settings.reference = options_.room;
    agents_[node] = options_.policy->make(settings);
}

}  // namespace wcs_node_agent::balance
