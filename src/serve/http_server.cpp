// SPDX-License-Identifier: Apache-2.0
#include "serve/http_server.hpp"

#include "serve/http_session.hpp"

#include <new>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

HttpServer::HttpServer(const asio::any_io_executor& executor, CurrentSnapshot& snapshots,
                       AgentCounters& counters)
    : executor_(executor),
      routes_(snapshots, counters),
      listener_(executor, "metrics_listen", most_open, counters,
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
    const tcp::endpoint source = connection.source;
    boost::beast::tcp_stream stream(
        tcp::socket(executor_, source.protocol(), connection.socket.release()));
    const auto close = [&stream] { stream.close(); };
    connection.place->on_drop(close);
    open_.insert(&stream);
    try {
        co_await http_session(stream, routes_, *connection.place);
        if (std::exchange(out_of_memory_, false)) spdlog::info("metrics_listen: memory again");
    } catch (const std::bad_alloc&) {
        if (!std::exchange(out_of_memory_, true))
            spdlog::error("metrics_listen: a request was cut off: no memory");
        close();
    }
    open_.erase(&stream);
    if (!stream.socket().is_open()) co_return;
    connection.socket = Descriptor(stream.socket().release());
    closing_.add(std::move(connection));
}

}  // namespace wcs_node_agent
