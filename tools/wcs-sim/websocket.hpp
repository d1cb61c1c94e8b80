// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs-sim/signalling.hpp"
#include "wcs-sim/simulation.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace wcs_node_agent::sim {

/// Serves one connection of the WebSocket port until it ends: the upgrade, then the signalling's
/// messages as text frames of 256 KiB at most. The session's identifier holds the client's address
/// and port, by X-Client-IP where a balancer gives it. `simulation` has the pace of the keep-alive
/// pings; a client that leaves too many of them unanswered is closed.
boost::asio::awaitable<void> serve_websocket(boost::beast::tcp_stream stream,
                                             Signalling& signalling, const Simulation& simulation);

}  // namespace wcs_node_agent::sim
