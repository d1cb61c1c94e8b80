// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

namespace wcs_node_agent {

/// An accepted connection: its non-blocking socket, which it owns, and where it comes from.
class Connection {
 public:
    Connection(int socket, const boost::asio::ip::tcp::endpoint& source)
        : socket_(socket), source_(source) {}
    Connection(Connection&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), source_(std::move(other.source_)) {}
    Connection& operator=(Connection&& other) noexcept {
        std::swap(socket_, other.socket_);
        std::swap(source_, other.source_);
        return *this;
    }
    ~Connection() {
        if (socket_ >= 0) ::close(socket_);
    }

    int socket() const { return socket_; }
    const boost::asio::ip::tcp::endpoint& source() const { return source_; }

    /// Leaves the socket to the caller.
    int release() { return std::exchange(socket_, -1); }

 private:
    int socket_;
    boost::asio::ip::tcp::endpoint source_;
};

}  // namespace wcs_node_agent
