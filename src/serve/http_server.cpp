// SPDX-License-Identifier: Apache-2.0
#include "serve/http_server.hpp"

#include "serve/http_session.hpp"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace wcs_node_agent {

namespace {

constexpr std::size_t most_open = 256;  // sessions

}  // namespace

HttpServer::HttpServer(const asio::any_io_executor& executor, CurrentSnapshot& snapshots,
                       AgentCounters& counters)
    : executor_(executor),
      counters_(counters),
      routes_(snapshots, counters),
      listener_(executor, "metrics_listen", counters,
                [this](Connection connection) {
                    asio::co_spawn(executor_, serve(std::move(connection)), asio::detached);
                }),
      closing_(executor) {}

void HttpServer::stop() {
    listener_.stop();
    for (auto* stream : open_) stream->close();
    closing_.finish();
}

asio::awaitable<void> HttpServer::serve(Connection connection) {
    if (open_.size() == most_open) {
        ++counters_.rejected_connections;
        co_return;
    }
    const tcp::endpoint source = connection.source;
    boost::beast::tcp_stream stream(
        tcp::socket(executor_, source.protocol(), connection.socket.release()));
    open_.insert(&stream);
    co_await http_session(stream, routes_);
    open_.erase(&stream);
    if (stream.socket().is_open()) closing_.add({Descriptor(stream.socket().release()), source});
}

}  // namespace wcs_node_agent
