// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/descriptor.hpp>

#include <boost/asio/ip/tcp.hpp>

namespace wcs_node_agent {

/// An accepted connection.
struct Connection {
    Descriptor socket;  // non-blocking
    boost::asio::ip::tcp::endpoint source;
};

}  // namespace wcs_node_agent
