// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/engine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace wcs_node_agent::balance {

namespace {

// What each stream of random numbers is for.
enum Stream : std::uint64_t { of_arrivals, of_phases, of_balancers };

constexpr double look_interval = 1;  // s
constexpr double never = std::numeric_limits<double>::infinity();

}  // namespace

Engine::Engine(const Options& options)
    : options_(options),
      now_(-options.warm_up),
      arrivals_(options.seed, of_arrivals),
      phases_(options.seed, of_phases),
      kind_of_sessions_(options_.workload, options.mean_length, options.room),
      nodes_(options.nodes, Node{.load = Load(now_)}),
      fleet_(nodes_, options.agent_inter * options.gain),
      agents_(options.nodes),
      seen_(options.nodes),
      heard_(options.nodes),
      most_free_(options.nodes),
      measures_(options.nodes, options.trace.has_value()) {
    double capacity = 0;
    for (ServerId id = 0; id < nodes_.size(); ++id) {
        auto& node = nodes_[id];
        node.capacity = options.capacity[id % options.capacity.size()];
        const bool joins = options.workload.fault == Fault::join && id + 1 == nodes_.size();
        node.alive = !joins;
        if (node.alive) capacity += node.capacity;
        start_agent(id);
        update_most_free(id);
    }
    const double sessions = options.workload.load * capacity * options.room;
    mean_gap_ = options.mean_length / sessions;
    std::vector<Rounds<Check>::Due> checks;
    for (std::uint32_t b = 0; b < options.balancers; ++b) {
        balancers_.push_back(std::make_unique<Balancer>(options.balancer, nodes_.size(),
                                                        Random(options.seed, of_balancers + b)));
        const double gap = options.agent_inter / static_cast<double>(nodes_.size());
        const double first = options.spreads_checks ? phases_.uniform(0, gap) : 0;
        for (ServerId id = 0; id < nodes_.size(); ++id) {
            const double phase =
                options.spreads_checks ? first + gap * id : phases_.uniform(0, options.agent_inter);
            checks.push_back({phase, {b, id}});
            if (!nodes_[id].alive) balancers_[b]->set_health(id, false, now_);
        }
    }
    std::vector<Rounds<ServerId>::Due> samples;
    samples.reserve(nodes_.size());
    for (ServerId id = 0; id < nodes_.size(); ++id)
        samples.push_back({phases_.uniform(0, options.sample_interval), id});
    checks_.emplace(now_, options.agent_inter, std::move(checks));
    samples_.emplace(now_, options.sample_interval, std::move(samples));
    next_arrival_ = now_;
    if (!options_.trace) fill();
    plan_faults();
    plan_arrival();
}

Results Engine::run() {
    const double end = options_.hours * 3600;
    while (true) {
        const double planned = events_.empty() ? end : events_.next_at();
        const double next = std::min(
            {planned, next_arrival_, checks_->next_at(), samples_->next_at(), next_look_, end});
        if (next >= end) break;
        now_ = next;
        ++handled_;
        if (next == planned) {
            handle(events_.pop());
        } else if (next == next_arrival_) {
            arrive();
        } else if (next == checks_->next_at()) {
            check(checks_->pop());
        } else if (next == samples_->next_at()) {
            sample(samples_->pop());
        } else {
            look();
        }
    }
    Results results;
    measures_.finish(results);
    results.events = handled_;
    results.joined = options_.workload.fault == Fault::join;
    return results;
}

/// The sessions that a steady state has, spread evenly by capacity: a policy moves them from there
/// to its own steady state during the warm-up.
void Engine::fill() {
    std::vector<double> up_to;
    up_to.reserve(nodes_.size());
    double sum = 0;
    for (const auto& node : nodes_) up_to.push_back(sum += node.alive ? node.capacity : 0);
    const double rate = options_.workload.rate(now_);
    const auto count = std::lround(rate * options_.mean_length / mean_gap_);
    for (long i = 0; i < count; ++i) {
        const auto demand = kind_of_sessions_.draw_left(arrivals_);
        const auto balancer = static_cast<std::uint32_t>(arrivals_.below(options_.balancers));
        const auto at = std::ranges::upper_bound(up_to, arrivals_.uniform(0, sum));
        const auto node = static_cast<ServerId>(at - up_to.begin());
        const auto id = open(demand, balancer);
        balancers_[balancer]->preset(node);
        begin(id, node);
    }
}

/// Arrivals at the highest rate, of which as many are left out as it is above that of the moment.
void Engine::plan_arrival() {
    if (const auto& trace = options_.trace) {
        next_arrival_ = traced_ < trace->size() ? (*trace)[traced_].at : never;
        return;
    }
    const auto& workload = options_.workload;
    const double highest = workload.highest_rate();
    do {
        next_arrival_ += arrivals_.exponential(mean_gap_ / highest);
    } while (highest > 1 && arrivals_.uniform() * highest >= workload.rate(next_arrival_));
}

void Engine::arrive() {
    const auto demand =
        options_.trace ? (*options_.trace)[traced_++].demand : kind_of_sessions_.draw(arrivals_);
    const auto balancer = static_cast<std::uint32_t>(arrivals_.below(options_.balancers));
    if (is_measured()) ++measures_.so_far.sessions;
    dispatch(open(demand, balancer));
    plan_arrival();
}

void Engine::handle(const Event& event) {
    switch (event.kind) {
        case EventKind::full_height:
        case EventKind::session_end:
        case EventKind::give_up:
        case EventKind::retry:
            handle_session(event);
            break;
        case EventKind::slow_start:
            continue_slow_start(event.subject, event.detail);
            break;
        case EventKind::node_dies:
            die(event.subject);
            break;
        case EventKind::node_joins:
            measures_.follow_join(event.subject);
            [[fallthrough]];
        case EventKind::node_returns:
            come_back(event.subject);
            break;
        case EventKind::notices:
            balancers_[event.subject]->set_health(event.detail, nodes_[event.detail].alive, now_);
            after_change(event.subject, event.detail);
            break;
        case EventKind::wcs_hangs:
        case EventKind::wcs_answers:
            nodes_[event.subject].answers = event.kind == EventKind::wcs_answers;
            update_most_free(event.subject);
            break;
        case EventKind::agent_stops:
            nodes_[event.subject].agent_runs = false;
            break;
        case EventKind::agent_starts:
            start_agent(event.subject);
            break;
    }
}

void Engine::check(const Check& check) {
    const auto& node = nodes_[check.node];
    if (!node.alive || !node.agent_runs) return;
    seen_[check.node] = {node.reserved, node.sessions};
    update_most_free(check.node);
    if (options_.policy->knowledge == Knowledge::fleet) sample(check.node);
    const auto reply = agents_[check.node]->reply();
    if (!reply) return;
    if (check.balancer == 0) {
        const auto& last = heard_[check.node];
        const bool is_other = last && (last->up != reply->up || last->weight != reply->weight);
        if (is_measured() && is_other) ++measures_.weight_changes;
        heard_[check.node] = reply;
    }
    balancers_[check.balancer]->apply(check.node, *reply, now_);
    after_change(check.balancer, check.node);
}

void Engine::sample(ServerId id) {
    auto& node = nodes_[id];
    if (!node.alive || !node.agent_runs) return;
    node.load.advance(now_);
    if (options_.policy->knowledge == Knowledge::fleet) fleet_.refresh(now_, inflow());
    agents_[id]->sample(node, now_);
}

void Engine::look() {
    for (auto& node : nodes_) node.load.advance(now_);
    look_at_weights(measures_.look(nodes_, look_interval));
    next_look_ += look_interval;
}

void Engine::look_at_weights(double mean_utilisation) {
    for (ServerId id = 0; id < nodes_.size(); ++id) {
        if (!nodes_[id].takes_sessions() || !nodes_[id].agent_runs) continue;
        if (const auto weight = agents_[id]->weight(); weight && weight->percent > 0)
            measures_.so_far.learnt.look(*weight, mean_utilisation);
    }
}

void Engine::serve_queue(std::uint32_t balancer, ServerId server) {
    while (const auto id = balancers_[balancer]->take_from_queue(server, now_)) enter(*id, server);
}

void Engine::continue_slow_start(std::uint32_t balancer, ServerId server) {
    if (balancers_[balancer]->warm_up(server, now_))
        events_.plan(now_ + balancers_[balancer]->step(), EventKind::slow_start, balancer, server);
    serve_queue(balancer, server);
}

void Engine::after_change(std::uint32_t balancer, ServerId server) {
    if (balancers_[balancer]->begins_slow_start(server))
        events_.plan(now_ + balancers_[balancer]->step(), EventKind::slow_start, balancer, server);
    serve_queue(balancer, server);
}

/// What arrives in a second, in the mean: utilisation of a node of capacity 1.
double Engine::inflow() const { return options_.workload.rate(now_) / (mean_gap_ * options_.room); }

/// By checks: what came and went since is known, but not what it costs.
double Engine::used_as_known(ServerId id) const {
    const auto& node = nodes_[id];
    if (options_.policy->knowledge != Knowledge::checks) return node.used();
    const auto& [reserved, sessions] = seen_[id];
    const double since = static_cast<double>(node.sessions) - sessions;
    return (reserved + since / options_.room) / node.capacity;
}

void Engine::update_most_free(ServerId id) {
    if (options_.policy->asks_haproxy()) return;
    most_free_.set(id, nodes_[id].takes_sessions() ? used_as_known(id) : MostFree::none);
}

}  // namespace wcs_node_agent::balance
