// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/balancer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace wcs_node_agent::balance {

Balancer::Balancer(const BalancerSettings& settings, std::size_t servers, Random random)
    : settings_(settings),
      states_(servers, State{.weight = settings.weight}),
      servers_(servers),
      dispatch_(make_dispatch(settings.algorithm, servers_, random)) {
    for (ServerId id = 0; id < servers; ++id) update(id, 0, true);
}

Balancer::Answer Balancer::assign(SessionId session, std::optional<ServerId> avoid) {
    if (sum_ == 0) return {Outcome::no_server, 0};
    const bool all_are_full = dispatch_->respects_queue() && !queue_.empty() && served_ > 0;
    const auto server = all_are_full ? std::nullopt : dispatch_->pick(avoid);
    if (!server) {
        queue_.push_back(session);
        return {Outcome::queued, 0};
    }
    preset(*server);
    return {Outcome::assigned, *server};
}

void Balancer::release(ServerId server, double now) {
    --servers_[server].served;
    --served_;
    servers_[server].maxconn = maxconn_now(states_[server], now);
    dispatch_->load_changed(server);
}

void Balancer::preset(ServerId server) {
    ++servers_[server].served;
    ++served_;
    dispatch_->load_changed(server);
}

void Balancer::apply(ServerId server, const Reply& reply, double now) {
    auto& state = states_[server];
    const bool was_up = is_up(state);
    state.weight = std::min(settings_.weight * reply.weight / 100, most_weight);
    if (reply.maxconn) state.maxconn = *reply.maxconn;
    state.agent_up = reply.up;
    update(server, now, was_up);
}

void Balancer::set_health(ServerId server, bool healthy, double now) {
    auto& state = states_[server];
    const bool was_up = is_up(state);
    state.healthy = healthy;
    update(server, now, was_up);
}

bool Balancer::warm_up(ServerId server, double now) {
    update(server, now, is_up(states_[server]));
    return states_[server].starting;
}

/// Of 5 %, and of a second at least.
double Balancer::step() const { return std::max(1.0, settings_.slowstart / 20); }

bool Balancer::begins_slow_start(ServerId server) {
    return std::exchange(states_[server].is_new_start, false);
}

std::optional<SessionId> Balancer::take_from_queue(ServerId server, double now) {
    if (queue_.empty() || servers_[server].effective_weight == 0) return std::nullopt;
    servers_[server].maxconn = maxconn_now(states_[server], now);
    if (servers_[server].is_full()) return std::nullopt;
    const auto session = queue_.front();
    queue_.pop_front();
    preset(server);
    return session;
}

bool Balancer::give_up(SessionId session) {
    const auto found = std::ranges::find(queue_, session);
    if (found == queue_.end()) return false;
    queue_.erase(found);
    return true;
}

void Balancer::update(ServerId id, double now, bool was_up) {
    auto& state = states_[id];
    auto& server = servers_[id];
    if (!was_up && is_up(state)) {
        state.since = std::floor(now);
        state.is_new_start = state.starting = settings_.slowstart > 0;
    }
    // HAProxy compares whole seconds.
    const auto elapsed = std::floor(now) - state.since;
    if (elapsed >= settings_.slowstart) state.starting = false;
    auto scale = weight_scale;
    if (state.starting)
        scale = static_cast<unsigned>((weight_scale * elapsed + settings_.slowstart) /
                                      settings_.slowstart);
    sum_ -= server.effective_weight;
    server.effective_weight = is_up(state) ? state.weight * scale : 0;
    sum_ += server.effective_weight;
    server.maxconn = maxconn_now(state, now);
    dispatch_->set_weight(id, server.effective_weight);
}

unsigned Balancer::maxconn_now(const State& state, double now) const {
    const auto elapsed = std::floor(now) - state.since;
    if (!state.starting || state.maxconn == 0 || elapsed >= settings_.slowstart)
        return state.maxconn;
    const auto percent = static_cast<unsigned>(100 * elapsed / settings_.slowstart);
    return std::max(1U, state.maxconn * percent / 100);
}

}  // namespace wcs_node_agent::balance
