// SPDX-License-Identifier: Apache-2.0
#include "serve/http_server.hpp"

#include "serve/http_session.hpp"
#include "serve/orderly_close.hpp"

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
                [this](tcp::socket socket) { on_connection(std::move(socket)); }) {}

void HttpServer::stop() {
    listener_.stop();
    for (auto* stream : open_) stream->close();
}

void HttpServer::on_connection(tcp::socket socket) {
    if (open_.size() == most_open) {
        ++counters_.rejected_connections;
        return;
    }
    asio::co_spawn(executor_, serve(boost::beast::tcp_stream(std::move(socket))), asio::detached);
}

asio::awaitable<void> HttpServer::serve(boost::beast::tcp_stream stream) {
    open_.insert(&stream);
    co_await http_session(stream, routes_);
    open_.erase(&stream);
    co_await orderly_close(std::move(stream));
}

}  // namespace wcs_node_agent
