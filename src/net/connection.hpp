// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/open_connections.hpp"

#include <wcs_node_agent/descriptor.hpp>

#include <memory>

#include <boost/asio/ip/tcp.hpp>

namespace wcs_node_agent {

/// An accepted connection.
struct Connection {
    Descriptor socket;  // non-blocking
    boost::asio::ip::tcp::endpoint source;
    std::unique_ptr<OpenConnections::Slot> slot;  // destroyed before the socket
};

}  // namespace wcs_node_agent
