// SPDX-License-Identifier: Apache-2.0
#include "control/control_server.hpp"

#include "control/control_protocol.hpp"
#include "net/use_tuple.hpp"

#include <chrono>
#include <optional>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

namespace {

using namespace asio::experimental::awaitable_operators;

constexpr auto request_timeout = std::chrono::seconds(5);

/// Who connected, as the kernel knows it (SO_PEERCRED).
std::optional<uid_t> user_of(int socket) {
    ucred peer{};
    socklen_t size = sizeof(peer);
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
    return peer.uid;
}

}  // namespace

ControlServer::ControlServer(const asio::any_io_executor& executor, OnRequest on_request)
    : executor_(executor),
      on_request_(std::move(on_request)),
      listener_(executor, [this](Descriptor connection) { take(std::move(connection)); }) {}

void ControlServer::stop() {
    listener_.stop();
    for (const auto& peer : open_) peer->close();
    open_.clear();
}

void ControlServer::take(Descriptor connection) {
    auto peer = std::make_shared<Socket>(executor_);
    peer->assign({}, connection.get());
    connection.release();
    if (open_.size() == most_open) {
        open_.front()->close();
        open_.pop_front();
    }
    open_.push_back(peer);
    asio::co_spawn(executor_, talk(std::move(peer)), asio::detached);
}

// A new socket's send buffer takes a whole reply, so whoever does not read it costs nothing.
asio::awaitable<void> ControlServer::talk(std::shared_ptr<Socket> peer) {
    std::string line;
    asio::steady_timer timeout(executor_, request_timeout);
    co_await (asio::async_read_until(*peer, asio::dynamic_buffer(line, longest_request), '\n',
                                     use_tuple) ||
              timeout.async_wait(use_tuple));
    const auto end = line.find('\n');
    const auto user = peer->is_open() ? user_of(peer->native_handle()) : std::nullopt;
    if (end != std::string::npos && user) {
        line.resize(end);
        const std::string reply = co_await on_request_(std::move(line), *user);
        if (peer->is_open())
            std::ignore = ::send(peer->native_handle(), reply.data(), reply.size(), MSG_NOSIGNAL);
    }
    open_.remove(peer);
    boost::system::error_code ignored;
    peer->close(ignored);
}

}  // namespace wcs_node_agent
