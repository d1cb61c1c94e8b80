// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/config.hpp>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

namespace wcs_node_agent::test {

namespace asio = boost::asio;
using asio::ip::tcp;

inline const tcp::endpoint any_port_v4{asio::ip::address_v4::loopback(), 0};
inline const tcp::endpoint any_port_v6{asio::ip::address_v6::loopback(), 0};

inline AllowList only(std::string_view network_v4) {
    return {{asio::ip::make_network_v4(network_v4)}, {}};
}

inline AllowList loopback_only() {
    return {{asio::ip::make_network_v4("127.0.0.0/8")}, {asio::ip::make_network_v6("::1/128")}};
}

/// Runs the servers' io_context on a thread of its own, so that a test can be a blocking client.
class Loop {
 public:
    ~Loop() { stop(); }

    /// Ends the thread. A fixture calls it before its servers go, as they must outlive the running.
    void stop() {
        context_.stop();
        if (thread_.joinable()) thread_.join();
    }

    asio::any_io_executor executor() { return context_.get_executor(); }

    /// Calls it on the loop's thread and waits for what it returns.
    template <class F>
    auto run(F f) {
        return asio::post(context_, asio::use_future(std::move(f))).get();
    }

 private:
    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    std::thread thread_{[this] { context_.run(); }};
};

/// A blocking TCP client. A wait of more than five seconds ends as `try_again`.
class Client {
 public:
    explicit Client(const tcp::endpoint& server, std::optional<asio::ip::address> source = {})
        : socket_(context_, server.protocol()) {
        // Asio's own blocking calls would go on waiting after these deadlines.
        const timeval deadline{5, 0};
        ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
        ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
        if (source) socket_.bind({*source, 0});
        socket_.connect(server);
    }

    /// False if the connection did not take all of it.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent =
                ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    void finish() { socket_.shutdown(tcp::socket::shutdown_send); }

    /// Up to and including the text, or the end of the connection.
    std::string read_until(std::string_view text) {
        std::string bytes;
        char byte = 0;
        while (!bytes.ends_with(text) || text.empty()) {
            const auto size = ::recv(socket_.native_handle(), &byte, 1, 0);
            if (size <= 0) {
                end = size == 0
                          ? make_error_code(asio::error::eof)
                          : boost::system::error_code(errno, asio::error::get_system_category());
                break;
            }
            bytes += byte;
        }
        return bytes;
    }

    std::string read_all() { return read_until(""); }

    boost::system::error_code end;  // how the connection ended, once it has: eof, or a fault

 private:
    asio::io_context context_;
    tcp::socket socket_;
};

}  // namespace wcs_node_agent::test
