// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "haproxy/regular_sources.hpp"
#include "net/current_snapshot.hpp"
#include "net/lingering_close.hpp"
#include "net/listener.hpp"

#include <cstddef>
#include <list>
#include <span>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

/// Answers HAProxy's agent checks: one reply for each connection, whatever the client sends. While
/// no snapshot is current, as before the first and after this process was stopped, connections wait
/// for the next. Must outlive the running of its executor.
class AgentServer {
 public:
    /// 256 from one source: a balancer checks once for each of its server lines.
    static constexpr OpenConnections::Limits most_open{.in_all = 768, .per_source = 256};

    AgentServer(const asio::any_io_executor& executor, CurrentSnapshot& snapshots,
                AgentCounters& counters);

    /// As Listener's: all of the endpoints from now on, or an error and no change.
    Result<void> listen(std::span<const tcp::endpoint> endpoints) {
        return listener_.listen(endpoints);
    }

    Listener& listener() { return listener_; }
    void allow(AllowList allowed) { listener_.allow(std::move(allowed)); }
    void give_to(uid_t user, gid_t group) { listener_.give_to(user, group); }
    void limit(OpenConnections::Limits limits) { listener_.limit(limits); }

    /// Sources that ask regularly.
    std::size_t balancers(Clock::time_point now) const { return balancers_.count(now); }

    std::vector<tcp::endpoint> endpoints() const { return listener_.endpoints(); }

    /// Takes a connection that is there already, as if it had been accepted.
    void take(Connection connection) { listener_.take(std::move(connection)); }

    /// Closes the endpoints and all connections.
    void stop();

 private:
    void on_connection(Connection connection);
    void answer(Connection connection, const Snapshot& snapshot);
    void remember(const asio::ip::address& source, std::string_view reply);
    void wait_for_snapshot(Connection connection);
    asio::awaitable<void> answer_waiting();

    asio::any_io_executor executor_;
    CurrentSnapshot& snapshots_;
    AgentCounters& counters_;
    Listener listener_;
    std::list<Connection> waiting_;  // for the next snapshot
    bool is_waiting_ = false;        // answer_waiting() runs, even if who waited has gone
    asio::steady_timer timeout_;     // of those who wait, from the first of them on
    LingeringClose closing_;
    RegularSources balancers_;
};

}  // namespace wcs_node_agent
