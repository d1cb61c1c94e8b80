// SPDX-License-Identifier: Apache-2.0
#include "net/local_listener.hpp"

#include "net/use_tuple.hpp"

#include <cerrno>
#include <chrono>
#include <exception>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

namespace {

constexpr int local_accepts_in_a_row = 16;  // then the loop's other work gets its turn
constexpr auto local_accept_pause = std::chrono::milliseconds(100);

}  // namespace

boost::system::error_code LocalListener::open(const std::string& name) {
    if (name.size() >= sizeof(sockaddr_un::sun_path))
        return make_error_code(boost::system::errc::filename_too_long);
    boost::system::error_code error;
    acceptor_.open({}, error);
    if (!error) acceptor_.bind(name, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) acceptor_.non_blocking(true, error);
    if (error) stop();
    return error;
}

asio::awaitable<void> LocalListener::serve() {
    asio::steady_timer pause(executor_);
    while (acceptor_.is_open()) {
        co_await acceptor_.async_wait(acceptor_.wait_read, use_tuple);
        if (!acceptor_.is_open() || !accept_waiting()) continue;
        // With no descriptor left the next one stays in the queue, and the socket readable.
        pause.expires_after(local_accept_pause);
        co_await pause.async_wait(use_tuple);
    }
}

void LocalListener::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

boost::system::error_code LocalListener::accept_waiting() {
    for (int i = 0; i < local_accepts_in_a_row; ++i) {
        Descriptor connection(
            ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!connection && errno == EAGAIN) break;
        if (!connection) return {errno, boost::system::system_category()};
        try {
            on_connection_(std::move(connection));
        } catch (const std::exception&) {
            return make_error_code(boost::system::errc::not_enough_memory);  // this one is closed
        }
    }
    return {};
}

}  // namespace wcs_node_agent
