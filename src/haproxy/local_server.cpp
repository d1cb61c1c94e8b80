// SPDX-License-Identifier: Apache-2.0
#include "haproxy/local_server.hpp"

#include "net/use_tuple.hpp"

#include <cerrno>
#include <chrono>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

namespace {

constexpr int accepts_in_a_row = 16;  // then the loop's other work gets its turn
constexpr std::size_t most_waiting = 16;
constexpr auto accept_pause = std::chrono::milliseconds(100);

/// A new socket's send buffer takes a whole reply, so whoever does not read costs nothing; what was
/// sent can be read after the close.
void answer(const Descriptor& connection, const Answer& to_send) {
    const auto& reply = to_send.agent_reply;
    std::ignore = ::send(connection.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
}

}  // namespace

Result<void> LocalServer::open() {
    boost::system::error_code error;
    acceptor_.open({}, error);
    if (!error) acceptor_.bind(std::string(local_socket_name), error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) acceptor_.non_blocking(true, error);
    if (!error) return {};
    stop();
    return failure("@wcs-node-agent", error);
}

asio::awaitable<void> LocalServer::serve() {
    asio::steady_timer pause(executor_);
    while (acceptor_.is_open()) {
        co_await acceptor_.async_wait(acceptor_.wait_read, use_tuple);
        if (!acceptor_.is_open() || !accept_waiting()) continue;
        // With no descriptor left the next one stays in the queue, and the socket readable.
        pause.expires_after(accept_pause);
        co_await pause.async_wait(use_tuple);
    }
}

void LocalServer::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    waiting_.clear();
}

boost::system::error_code LocalServer::accept_waiting() {
    for (int i = 0; i < accepts_in_a_row; ++i) {
        Descriptor connection(
            ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!connection && errno == EAGAIN) break;
        if (!connection) return {errno, boost::system::system_category()};
        if (const auto current = answers_.get_current(Clock::now())) {
            answer(connection, *current);
            continue;
        }
        if (waiting_.size() == most_waiting) waiting_.pop_front();
        waiting_.push_back(std::move(connection));
        if (!std::exchange(is_waiting_, true))
            asio::co_spawn(executor_, answer_waiting(), asio::detached);
    }
    return {};
}

// Spawned from outside the executor it begins later, and an answer may have come since.
asio::awaitable<void> LocalServer::answer_waiting() {
    auto current = answers_.get_current(Clock::now());
    while (!current && !waiting_.empty()) {
        co_await answers_.wait_for_next();
        current = answers_.get_current(Clock::now());
    }
    is_waiting_ = false;
    for (const auto& connection : std::exchange(waiting_, {})) answer(connection, *current);
}

}  // namespace wcs_node_agent
