// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/current_snapshot.hpp"
#include "net/local_listener.hpp"

#include <wcs_node_agent/descriptor.hpp>
#include <wcs_node_agent/result.hpp>

#include <deque>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace wcs_node_agent {

/// The abstract unix socket of the agent in this network namespace; the NUL makes it abstract.
inline constexpr std::string_view local_socket_name{"\0wcs-node-agent", 15};

/// Answers `wcs-node-agent check` with the same verdict as AgentServer: not on agent_listen, since
/// under xinetd it is `check` that answers there. Who asks `check` is not known, and could not be
/// told `ready`, so the operator's word passes with the reply. While no answer is current
/// connections wait for the next. What is answered here is not counted as an agent check. Must
/// outlive the running of its executor.
class LocalServer {
 public:
    LocalServer(const asio::any_io_executor& executor, CurrentAnswer& answers)
        : executor_(executor),
          answers_(answers),
          listener_(executor, [this](Descriptor connection) { take(std::move(connection)); }) {}

    /// To be called before privileges are dropped, as the kernel shows clients who listened. The
    /// error: the name is taken, by another agent or by anybody else.
    Result<void> open();

    /// Serves until stop(); ends at once without open().
    asio::awaitable<void> serve() { return listener_.serve(); }

    /// Closes the socket and all connections.
    void stop();

 private:
    void take(Descriptor connection);
    asio::awaitable<void> answer_waiting();

    asio::any_io_executor executor_;
    CurrentAnswer& answers_;
    LocalListener listener_;
    std::deque<Descriptor> waiting_;  // for the next answer
    bool is_waiting_ = false;         // answer_waiting() runs
};

}  // namespace wcs_node_agent
