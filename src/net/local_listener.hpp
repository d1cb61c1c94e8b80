// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/descriptor.hpp>

#include <functional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/system/error_code.hpp>

namespace wcs_node_agent {

namespace asio = boost::asio;

/// Accepts connections on one unix socket. Must outlive the running of its executor.
class LocalListener {
 public:
    /// Gets each connection, which is non-blocking.
    using OnConnection = std::function<void(Descriptor)>;

    LocalListener(const asio::any_io_executor& executor, OnConnection on_connection)
        : executor_(executor), acceptor_(executor), on_connection_(std::move(on_connection)) {}

    /// Listens on a path, or on an abstract name, which begins with NUL. Closed after an error.
    boost::system::error_code open(const std::string& name);

    /// Serves until stop(); ends at once without open().
    asio::awaitable<void> serve();

    bool is_open() const { return acceptor_.is_open(); }

    /// Closes the socket; a path stays.
    void stop();

 private:
    boost::system::error_code accept_waiting();

    asio::any_io_executor executor_;
    asio::local::stream_protocol::acceptor acceptor_;
    OnConnection on_connection_;
};

}  // namespace wcs_node_agent
