// SPDX-License-Identifier: Apache-2.0
#include "haproxy/local_server.hpp"

#include "haproxy/agent_reply.hpp"

#include <string>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace wcs_node_agent {

namespace {

constexpr std::size_t most_waiting = 16;

/// A new socket's send buffer takes a whole reply, so whoever does not read costs nothing; what was
/// sent can be read after the close.
void answer(const Descriptor& connection, const Answer& to_send) {
    const std::string reply = passing_reply(to_send.verdict);
    std::ignore = ::send(connection.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
}

}  // namespace

Result<void> LocalServer::open() {
    if (const auto error = listener_.open(std::string(local_socket_name)))
        return failure("@wcs-node-agent", error);
    return {};
}

void LocalServer::stop() {
    listener_.stop();
    waiting_.clear();
}

void LocalServer::take(Descriptor connection) {
    if (const auto current = answers_.get_current(Clock::now()))
        return answer(connection, *current);
    if (waiting_.size() == most_waiting) waiting_.pop_front();
    waiting_.push_back(std::move(connection));
    if (!std::exchange(is_waiting_, true))
        asio::co_spawn(executor_, answer_waiting(), asio::detached);
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
