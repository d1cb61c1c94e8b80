// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/dispatch.hpp"
#include "balance-sim/reply.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace wcs_node_agent::balance {

using SessionId = std::uint32_t;

/// The lines of HAProxy's configuration that matter here.
struct BalancerSettings {
    Algorithm algorithm = Algorithm::roundrobin;
    unsigned weight = 100;      // of each server line, 1..256
    double slowstart = 30;      // s; 0: off
    double queue_timeout = 10;  // s
};

enum class Outcome {
    assigned,
    queued,     // all servers are full
    no_server,  // none is up with a weight: 503 at once
};

/// One HAProxy with its backend: it knows its own connections alone. Times in seconds, rising.
class Balancer {
 public:
    Balancer(const BalancerSettings& settings, std::size_t servers, Random random);
    Balancer(Balancer&&) = delete;

    struct Answer {
        Outcome outcome;
        ServerId server;  // if assigned; the connection counts at once
    };

    /// Where the session goes. avoid: the server that just refused it.
    Answer assign(SessionId session, std::optional<ServerId> avoid = {});

    /// A connection has ended, or was refused.
    void release(ServerId server, double now);

    /// A session that is there already.
    void preset(ServerId server);

    /// The agent's answer, applied as one check.
    void apply(ServerId server, const Reply& reply, double now);

    /// The TCP health check has changed its mind.
    void set_health(ServerId server, bool healthy, double now);

    /// The next step of a slow start. True if there are more, in step() seconds.
    bool warm_up(ServerId server, double now);
    double step() const;

    /// True once after each change that has begun a slow start.
    bool begins_slow_start(ServerId server);

    /// The next session of the queue that this server takes now, counted as its connection.
    std::optional<SessionId> take_from_queue(ServerId server, double now);

    /// The session has waited for too long. False: it is in the queue no longer.
    bool give_up(SessionId session);

    const Server& server(ServerId id) const { return servers_[id]; }
    std::size_t queue_length() const { return queue_.size(); }

 private:
    struct State {
        unsigned weight = 0;   // as the agent left it, 0..256
        unsigned maxconn = 0;  // 0: none
        bool agent_up = true;  // until it says otherwise
        bool healthy = true;
        bool starting = false;  // slowly
        bool is_new_start = false;
        double since = 0;  // whole seconds: when it came up last
    };

    void update(ServerId id, double now, bool was_up);
    bool is_up(const State& state) const { return state.agent_up && state.healthy; }
    unsigned maxconn_now(const State& state, double now) const;

    BalancerSettings settings_;
    std::vector<State> states_;
    std::vector<Server> servers_;
    std::unique_ptr<Dispatch> dispatch_;
    std::deque<SessionId> queue_;
    std::uint64_t served_ = 0;
    std::uint64_t sum_ = 0;  // of the effective weights
};

}  // namespace wcs_node_agent::balance
