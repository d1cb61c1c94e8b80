// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace wcs_node_agent {

/// Ends a connection so that the last reply arrives: says that no more will come, then reads away
/// what the client still sends until it closes too, for at most one second and 64 KiB.
boost::asio::awaitable<void> orderly_close(boost::beast::tcp_stream stream);

}  // namespace wcs_node_agent
