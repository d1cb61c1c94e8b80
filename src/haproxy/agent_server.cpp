// SPDX-License-Identifier: Apache-2.0
#include "haproxy/agent_server.hpp"

#include "net/use_tuple.hpp"

#include <chrono>
#include <exception>
#include <iterator>
#include <string>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace wcs_node_agent {

namespace {

constexpr auto snapshot_timeout = std::chrono::seconds(30);

}  // namespace

AgentServer::AgentServer(const asio::any_io_executor& executor, CurrentSnapshot& snapshots,
                         AgentCounters& counters)
    : executor_(executor),
      snapshots_(snapshots),
      counters_(counters),
      listener_(executor, "agent_listen", "allow", most_open, counters,
                [this](Connection connection) { on_connection(std::move(connection)); }),
      timeout_(executor),
      closing_(executor) {}

void AgentServer::stop() {
    listener_.stop();
    waiting_.clear();
    timeout_.cancel();
    closing_.finish();
}

void AgentServer::on_connection(Connection connection) {
    if (const auto snapshot = snapshots_.get_current(Clock::now()))
        answer(std::move(connection), *snapshot);
    else
        wait_for_snapshot(std::move(connection));
}

// A new socket's send buffer is empty and far larger than a reply, so one send takes all of it.
// What fails is a client that has gone: HAProxy resets a connection as soon as it has the newline.
void AgentServer::answer(Connection connection, const Snapshot& snapshot) {
    const std::string& reply = snapshot.agent_reply;
    if (::send(connection.socket.get(), reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return;
    ++counters_.checks[static_cast<std::size_t>(snapshot.verdict.state)];
    remember(connection.source.address(), reply);
    closing_.add(std::move(connection));
}

void AgentServer::remember(const asio::ip::address& source, std::string_view reply) {
    if (!counters_.last_check) counters_.last_check.emplace();
    auto& last = *counters_.last_check;
    last.source = source;
    last.at = Clock::now();
    balancers_.add(source, last.at);
    last.text.assign(reply.substr(0, reply.size() - 1));  // into the same memory each time
}

void AgentServer::wait_for_snapshot(Connection connection) {
    waiting_.push_back(std::move(connection));
    waiting_.back().slot->on_close([this, at = std::prev(waiting_.end())] { waiting_.erase(at); });
    if (std::exchange(is_waiting_, true)) return;
    asio::co_spawn(executor_, answer_waiting(), asio::detached);
}

// Spawned from outside the executor it begins later, and a snapshot may have come since.
asio::awaitable<void> AgentServer::answer_waiting() {
    using namespace asio::experimental::awaitable_operators;
    auto snapshot = snapshots_.get_current(Clock::now());
    const auto deadline = Clock::now() + snapshot_timeout;
    try {
        while (!snapshot && !waiting_.empty() && Clock::now() < deadline) {
            timeout_.expires_at(deadline);
            co_await (snapshots_.wait_for_next() || timeout_.async_wait(use_tuple));
            snapshot = snapshots_.get_current(Clock::now());
        }
    } catch (const std::exception&) {
        is_waiting_ = false;  // the next connection that waits begins anew, for these too
        co_return;
    }
    is_waiting_ = false;
    for (Connection& connection : std::exchange(waiting_, {})) {
        if (snapshot)
            answer(std::move(connection), *snapshot);
        else
            ++counters_.rejected_connections;
    }
}

}  // namespace wcs_node_agent
