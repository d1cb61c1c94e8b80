// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "haproxy/regular_sources.hpp"
#include "haproxy/told_balancers.hpp"
#include "net/connection.hpp"
#include "net/current_snapshot.hpp"
#include "net/lingering_close.hpp"

#include <wcs_node_agent/agent_counters.hpp>
#include <wcs_node_agent/clock.hpp>

#include <list>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

/// Answers the checks at some of the agent's endpoints with one answer, the node's or a profile's:
/// one reply for each connection, whatever the client sends. While no answer is current, as before
/// the first and after this process was stopped, connections wait for the next. Always held by a
/// shared_ptr: it lives on until nobody waits.
class CheckResponder : public std::enable_shared_from_this<CheckResponder> {
 public:
    /// All must outlive the running of the executor: `closing` ends the connections, `agent` has
    /// the last check, `told` who has to hear `ready`. `profile`: whose answer it is; empty: the
    /// node's.
    CheckResponder(const asio::any_io_executor& executor, LingeringClose& closing,
                   AgentCounters& agent, ToldBalancers& told, std::string profile = {});

    /// What it answers with.
    CurrentAnswer& current() { return current_; }

    void respond(Connection connection);

    /// With the balancers that there are at this moment.
    CheckCounters counters(Clock::time_point now) const;

    /// Balancers that have not asked since then, and are still expected to.
    std::size_t silent_balancers(Clock::time_point since, Clock::time_point now) const {
        return balancers_.count_silent(since, now);
    }

    /// Closes the connections that wait.
    void stop();

 private:
    void answer(Connection connection, const Answer& answer);
    void remember(const asio::ip::address& source, std::string_view reply);
    void wait_for_answer(Connection connection);
    asio::awaitable<void> answer_waiting(std::shared_ptr<CheckResponder> self);

    asio::any_io_executor executor_;
    LingeringClose& closing_;
    AgentCounters& agent_;
    ToldBalancers& told_;
    std::string profile_;
    CurrentAnswer current_;
    CheckCounters counters_;
    RegularSources balancers_;
    std::list<Connection> waiting_;  // for the next answer
    bool is_waiting_ = false;        // answer_waiting() runs, even if who waited has gone
    asio::steady_timer timeout_;     // of those who wait, from the first of them on
};

}  // namespace wcs_node_agent
