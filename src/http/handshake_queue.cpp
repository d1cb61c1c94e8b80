// SPDX-License-Identifier: Apache-2.0
#include "http/handshake_queue.hpp"

#include "net/open_connections.hpp"
#include "net/use_tuple.hpp"

#include <algorithm>
#include <chrono>
#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace asio = boost::asio;

namespace {

constexpr auto handshake_spacing = std::chrono::milliseconds(2);
constexpr std::size_t most_per_read = 2'048;  // bytes

}  // namespace

asio::awaitable<bool> HandshakeQueue::wait(boost::beast::tcp_stream& stream,
                                           asio::ip::address source,
                                           boost::beast::flat_buffer& received) {
    source = source_of(source);
    Waiting waiting{stream};
    turns_.push(source, &waiting);
    try {
        if (!giving_) asio::co_spawn(executor_, give_turns(), asio::detached);
        co_await read_until_turn(waiting, received);
    } catch (...) {
        turns_.remove(source, &waiting);
        throw;
    }
    if (!waiting.has_turn) turns_.remove(source, &waiting);
    co_return waiting.has_turn;
}

/// Its turn cancels what it reads.
asio::awaitable<void> HandshakeQueue::read_until_turn(Waiting& waiting,
                                                      boost::beast::flat_buffer& received) {
    while (!waiting.has_turn) {
        const auto space = std::min(most_per_read, received.max_size() - received.size());
        if (space == 0) break;
        const auto [error, size] =
            co_await waiting.stream.async_read_some(received.prepare(space), use_tuple);
        if (error == asio::error::operation_aborted && waiting.has_turn) break;
        if (error || size == 0) {
            waiting.has_turn = false;
            break;
        }
        received.commit(size);
    }
}

asio::awaitable<void> HandshakeQueue::give_turns() {
    giving_ = true;
    try {
        while (const auto next = turns_.pop()) {
            (*next)->has_turn = true;
            (*next)->stream.cancel();
            pause_.expires_after(handshake_spacing);
            co_await pause_.async_wait(use_tuple);
        }
    } catch (const std::exception& failure) {
        spdlog::debug("metrics_listen: the next handshake goes on: {}", failure.what());
    }
    giving_ = false;
}

}  // namespace wcs_node_agent
