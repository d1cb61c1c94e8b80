// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/source_turns.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace wcs_node_agent {

/// Where connections wait for their TLS handshake, sources in turn: one takes this thread up to a
/// few milliseconds, so they begin 2 ms apart, and checks are answered in between. It is as long as
/// there are connections, since who has gone, or is closed, leaves at once. Must outlive the
/// running of its executor.
class HandshakeQueue {
 public:
    explicit HandshakeQueue(const boost::asio::any_io_executor& executor)
        : executor_(executor), pause_(executor) {}

    /// Waits for the connection's turn. Meanwhile goes on reading into `received`, as its end is
    /// noticed by that. False: it ended, or sent more than the buffer takes.
    boost::asio::awaitable<bool> wait(boost::beast::tcp_stream& stream,
                                      boost::asio::ip::address source,
                                      boost::beast::flat_buffer& received);

 private:
    struct Waiting {
        boost::beast::tcp_stream& stream;
        bool has_turn = false;
    };

    static boost::asio::awaitable<void> read_until_turn(Waiting& waiting,
                                                        boost::beast::flat_buffer& received);
    boost::asio::awaitable<void> give_turns();

    boost::asio::any_io_executor executor_;
    SourceTurns<Waiting*> turns_;
    bool giving_ = false;
    boost::asio::steady_timer pause_;
};

}  // namespace wcs_node_agent
