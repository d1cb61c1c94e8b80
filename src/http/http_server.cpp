// SPDX-License-Identifier: Apache-2.0
#include "http/http_server.hpp"

#include "http/http_session.hpp"
#include "net/use_tuple.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <string_view>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

constexpr auto handshake_timeout = std::chrono::seconds(10);
constexpr auto shutdown_timeout = std::chrono::seconds(1);
constexpr auto handshake_spacing = std::chrono::milliseconds(2);

// RFC 8446, 5.1: a record begins with its type.
constexpr std::size_t record_header = 5;
constexpr unsigned char handshake_record = 22;

constexpr std::string_view not_tls =
    "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Connection: close\r\n\r\nThis port wants HTTPS.\n";

/// TLS over a stream with timeouts.
class TlsStream : public asio::ssl::stream<boost::beast::tcp_stream&> {
 public:
    using stream::stream;
    void expires_after(std::chrono::nanoseconds time) { next_layer().expires_after(time); }
};

}  // namespace

HttpServer::HttpServer(const asio::any_io_executor& executor, CurrentSnapshot& snapshots,
                       AgentCounters& counters)
    : executor_(executor),
      routes_(snapshots, counters),
      gate_(executor),
      listener_(executor, "metrics_listen", most_open, counters,
                [this](Connection connection) {
                    asio::co_spawn(executor_, serve(std::move(connection)), asio::detached);
                }),
      closing_(executor) {}

void HttpServer::secure(WebConfig web) {
    const auto settings = [](const WebConfig& of) {
        return of.tls ? &of.tls->settings() : nullptr;
    };
    const auto* const before = settings(web_);
    const auto* const after = settings(web);
    const bool same = before && after ? *before == *after : before == after;
    if (!same)
        for (auto* stream : open_) stream->close();
    web_ = std::move(web);
    gate_.configure(web_.users);
}

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
    connection.slot->on_close(close);
    open_.insert(&stream);
    const bool was_out_of_memory = out_of_memory_;
    try {
        co_await run_session(stream, connection);
        if (was_out_of_memory && std::exchange(out_of_memory_, false))
            spdlog::info("metrics_listen: memory again");
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

asio::awaitable<void> HttpServer::run_session(boost::beast::tcp_stream& stream,
                                              Connection& connection) {
    if (web_.tls) {
        co_await run_tls_session(stream, connection, web_.tls);
        co_return;
    }
    auto answers = [&](const HttpRequest& request) {
        return answer(request, connection.source.address());
    };
    co_await http_session(stream, answers, *connection.slot);
}

asio::awaitable<void> HttpServer::run_tls_session(boost::beast::tcp_stream& stream,
                                                  Connection& connection,
                                                  std::shared_ptr<TlsCertificates> certificates) {
    std::array<unsigned char, record_header> begin{};
    connection.slot->set_idle();
    stream.expires_after(handshake_timeout);
    const auto [broken, size] = co_await stream.async_read_some(asio::buffer(begin), use_tuple);
    if (broken || size == 0) co_return;
    connection.slot->set_working();
    if (begin[0] != handshake_record) {
        co_await asio::async_write(stream, asio::buffer(not_tls), use_tuple);
        co_return;
    }
    co_await wait_for_turn();
    TlsStream tls(stream, certificates->current(Clock::now()));
    tls.expires_after(handshake_timeout);
    // It reads the rest of the ClientHello.
    const auto [refused, used] = co_await tls.async_handshake(
        asio::ssl::stream_base::server, asio::buffer(begin.data(), size), use_tuple);
    if (refused) co_return;
    auto answers = [&](const HttpRequest& request) {
        return answer(request, connection.source.address());
    };
    co_await http_session(tls, answers, *connection.slot);
    // Without close_notify the client would take the end for a truncation attack.
    tls.expires_after(shutdown_timeout);
    co_await tls.async_shutdown(use_tuple);
}

/// A handshake takes up to a few milliseconds of this thread: checks are answered in between.
asio::awaitable<void> HttpServer::wait_for_turn() {
    const auto now = Clock::now();
    const auto turn = std::max(now, next_handshake_);
    next_handshake_ = turn + handshake_spacing;
    if (turn == now) co_return;
    asio::steady_timer timer(executor_, turn);
    co_await timer.async_wait(use_tuple);
}

asio::awaitable<HttpResponse> HttpServer::answer(const HttpRequest& request,
                                                 asio::ip::address source) {
    auto refusal = co_await gate_.refusal(request, source);
    HttpResponse response = refusal ? *std::move(refusal) : routes_.respond(request, Clock::now());
    for (const auto& [name, value] : web_.headers) response.set(name, value);
    co_return response;
}

}  // namespace wcs_node_agent
