// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/local_listener.hpp"

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace wcs_node_agent {

/// Serves requests of one line on a unix socket, each on a connection of its own. Who says nothing,
/// or more than a line, is cut off; of more than `most_open` the one that came first. Must outlive
/// the running of its executor.
class ControlServer {
 public:
    static constexpr std::size_t most_open = 16;

    /// The reply to a request, which has no newline, from this user.
    using OnRequest = std::function<asio::awaitable<std::string>(std::string request, uid_t from)>;

    ControlServer(const asio::any_io_executor& executor, OnRequest on_request);

    LocalListener& listener() { return listener_; }

    /// Serves until stop(); ends at once where nothing listens.
    asio::awaitable<void> serve() { return listener_.serve(); }

    /// Closes the socket and all connections.
    void stop();

 private:
    using Socket = asio::local::stream_protocol::socket;

    void take(Descriptor connection);
    asio::awaitable<void> talk(std::shared_ptr<Socket> peer);

    asio::any_io_executor executor_;
    OnRequest on_request_;
    LocalListener listener_;
    std::list<std::shared_ptr<Socket>> open_;  // in the order in which they came
};

}  // namespace wcs_node_agent
