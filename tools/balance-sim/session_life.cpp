// SPDX-License-Identifier: Apache-2.0
// Engine: a session from its arrival to its end.
#include "balance-sim/engine.hpp"
#include "balance-sim/limits.hpp"

#include <algorithm>

namespace wcs_node_agent::balance {

namespace {

constexpr double retries_last = 3;  // s: `retries 3`, a second apart, then redispatch

}  // namespace

void Engine::handle_session(const Event& event) {
    const auto id = event.subject;
    const auto& session = sessions_[id];
    if (session.generation != event.detail) return;
    switch (event.kind) {
        case EventKind::full_height:
            reach_full_height(id);
            break;
        case EventKind::session_end:
            end(id);
            break;
        case EventKind::give_up:
            if (balancers_[session.balancer]->give_up(id)) refuse(id);
            break;
        default:
            dispatch(id, session.node);
    }
}

SessionId Engine::open(const Demand& demand, std::uint32_t balancer) {
    if (free_sessions_.empty()) {
        free_sessions_.push_back(static_cast<SessionId>(sessions_.size()));
        sessions_.emplace_back();
    }
    const auto id = free_sessions_.back();
    free_sessions_.pop_back();
    auto& session = sessions_[id];
    session.demand = demand;
    session.balancer = balancer;
    session.stage = Stage::waiting;
    return id;
}

void Engine::close(SessionId id) {
    sessions_[id].stage = Stage::free;
    ++sessions_[id].generation;
    free_sessions_.push_back(id);
}

void Engine::dispatch(SessionId id, std::optional<ServerId> avoid) {
    if (!options_.policy->asks_haproxy()) return dispatch_by_knowledge(id);
    const auto [outcome, server] = balancers_[sessions_[id].balancer]->assign(id, avoid);
    switch (outcome) {
        case Outcome::assigned:
            return enter(id, server);
        case Outcome::queued:
            if (is_measured()) ++measures_.so_far.queued;
            events_.plan(now_ + options_.balancer.queue_timeout, EventKind::give_up, id,
                         sessions_[id].generation);
            return;
        case Outcome::no_server:
            return refuse(id);
    }
}

void Engine::dispatch_by_knowledge(SessionId id) {
    const auto node = most_free_.get();
    if (!node) return refuse(id);
    balancers_[sessions_[id].balancer]->preset(static_cast<ServerId>(*node));
    begin(id, static_cast<ServerId>(*node));
}

/// The connection is the server's already.
void Engine::enter(SessionId id, ServerId node) {
    if (nodes_[node].takes_sessions()) return begin(id, node);
    auto& session = sessions_[id];
    balancers_[session.balancer]->release(node, now_);
    if (nodes_[node].alive) return refuse(id);
    if (is_measured()) ++measures_.so_far.redispatched;
    session.node = node;
    events_.plan(now_ + retries_last, EventKind::retry, id, session.generation);
}

void Engine::begin(SessionId id, ServerId node_id) {
    auto& session = sessions_[id];
    auto& node = nodes_[node_id];
    const auto& demand = session.demand;
    session.node = node_id;
    session.since = now_;
    session.stage = Stage::running;
    node.load.advance(now_);
    if (demand.ramp > 0) {
        node.load.add_slope(demand.cost, 1 / demand.ramp);
        if (demand.ramp < demand.length)
            events_.plan(now_ + demand.ramp, EventKind::full_height, id, session.generation);
    } else {
        node.load.add_value(demand.cost, 1);
    }
    ++node.sessions;
    if (is_measured()) ++measures_.so_far.sessions_by_node[node_id];
    reserve(session, 1);
    events_.plan(now_ + demand.length, EventKind::session_end, id, session.generation);
}

void Engine::reach_full_height(SessionId id) {
    auto& session = sessions_[id];
    auto& load = nodes_[session.node].load;
    load.advance(now_);
    load.add_slope(session.demand.cost, -1 / session.demand.ramp);
    session.demand.ramp = 0;
}

void Engine::end(SessionId id) {
    auto& session = sessions_[id];
    const auto node = session.node;
    const auto balancer = session.balancer;
    leave_node(session);
    close(id);
    balancers_[balancer]->release(node, now_);
    serve_queue(balancer, node);
}

void Engine::leave_node(Session& session) {
    auto& node = nodes_[session.node];
    const auto& [length, ramp, cost] = session.demand;
    node.load.advance(now_);
    if (ramp > 0) {
        node.load.add_slope(cost, -1 / ramp);
        node.load.add_value(cost, -(now_ - session.since) / ramp);
    } else {
        node.load.add_value(cost, -1);
    }
    --node.sessions;
    reserve(session, -1);
}

void Engine::refuse(SessionId id) {
    if (is_measured()) ++measures_.so_far.refused;
    close(id);
}

/// What the node's tightest limit will have to bear of this session.
void Engine::reserve(Session& session, double factor) {
    double highest = 0;
    for (std::size_t i = 0; i < resource_count; ++i)
        highest = std::max(highest, session.demand.cost[i] / resource_limits[i]);
    nodes_[session.node].reserved += factor * highest;
    update_most_free(session.node);
}

}  // namespace wcs_node_agent::balance
