// SPDX-License-Identifier: Apache-2.0
#include "serve/agent_server.hpp"

#include "serve/orderly_close.hpp"

#include <chrono>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace wcs_node_agent {

namespace {

constexpr auto first_snapshot_deadline = std::chrono::seconds(30);
constexpr std::size_t most_waiting = 256;  // connections; each holds a descriptor

}  // namespace

AgentServer::AgentServer(const asio::any_io_executor& executor, CurrentSnapshot& snapshots,
                         AgentCounters& counters)
    : executor_(executor),
      snapshots_(snapshots),
      counters_(counters),
      listener_(executor, "agent_listen", counters,
                [this](tcp::socket socket) { on_connection(std::move(socket)); }),
      patience_(executor) {}

void AgentServer::stop() {
    listener_.stop();
    waiting_.clear();
    patience_.cancel();
}

void AgentServer::on_connection(tcp::socket socket) {
    if (const auto snapshot = snapshots_.get())
        answer(std::move(socket), *snapshot);
    else
        let_wait(std::move(socket));
}

// A new socket's send buffer is empty and far larger than a reply, so one send takes all of it.
// What fails is a client that has gone: HAProxy resets a connection as soon as it has the newline.
void AgentServer::answer(tcp::socket socket, const Snapshot& snapshot) {
    boost::system::error_code error;
    socket.send(asio::buffer(snapshot.rendered.agent_reply), 0, error);
    if (error) return;
    ++counters_.checks[static_cast<std::size_t>(snapshot.verdict.state)];
    asio::co_spawn(executor_, orderly_close(boost::beast::tcp_stream(std::move(socket))),
                   asio::detached);
}

void AgentServer::let_wait(tcp::socket socket) {
    if (waiting_.size() == most_waiting) {
        ++counters_.rejected_connections;
        return;
    }
    waiting_.push_back(std::move(socket));
    if (waiting_.size() == 1) asio::co_spawn(executor_, answer_waiting(), asio::detached);
}

asio::awaitable<void> AgentServer::answer_waiting() {
    using namespace asio::experimental::awaitable_operators;
    patience_.expires_after(first_snapshot_deadline);
    co_await (snapshots_.first() || patience_.async_wait(asio::as_tuple(asio::use_awaitable)));
    const auto snapshot = snapshots_.get();
    for (tcp::socket& socket : std::exchange(waiting_, {})) {
        if (snapshot)
            answer(std::move(socket), *snapshot);
        else
            ++counters_.rejected_connections;
    }
}

}  // namespace wcs_node_agent
