// SPDX-License-Identifier: Apache-2.0
#include "http/http_server.hpp"

#include "http/client_hello.hpp"
#include "http/http_session.hpp"
#include "net/use_tuple.hpp"

#include <netinet/tcp.h>
#include <new>
#include <poll.h>
#include <string_view>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

using QuickAck = asio::detail::socket_option::boolean<IPPROTO_TCP, TCP_QUICKACK>;

constexpr auto handshake_timeout = std::chrono::seconds(10);
constexpr auto shutdown_timeout = std::chrono::seconds(1);
constexpr auto finish_timeout = std::chrono::seconds(1);

constexpr std::string_view not_tls =
    "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Connection: close\r\n\r\nThis port wants HTTPS, not plain HTTP.\n";

/// TLS over a stream with timeouts.
class TlsStream : public asio::ssl::stream<boost::beast::tcp_stream&> {
 public:
    using stream::stream;
    void expires_after(std::chrono::nanoseconds time) { next_layer().expires_after(time); }
};

/// Whether the client has closed already, or reset: with TLS there is nothing to be said to it.
bool has_hung_up(const Descriptor& socket) {
    pollfd asked{.fd = socket.get(), .events = POLLRDHUP, .revents = 0};
    return ::poll(&asked, 1, 0) > 0;
}

/// True: the first record has come, and is in `received`. False: there is none, which a client that
/// speaks something else has got an answer to.
asio::awaitable<bool> read_client_hello(boost::beast::tcp_stream& stream,
                                        boost::beast::flat_buffer& received) {
    constexpr std::size_t most_at_once = 2'048;  // bytes
    stream.expires_after(handshake_timeout);
    for (;;) {
        const auto [broken, size] =
            co_await stream.async_read_some(received.prepare(most_at_once), use_tuple);
        if (broken || size == 0) co_return false;
        received.commit(size);
        const auto data = received.cdata();
        switch (first_record({static_cast<const unsigned char*>(data.data()), data.size()})) {
            case FirstRecord::whole:
                co_return true;
            case FirstRecord::unfinished:
                break;
            case FirstRecord::not_tls:
                co_await asio::async_write(stream, asio::buffer(not_tls), use_tuple);
                co_return false;
        }
    }
}

}  // namespace

HttpServer::HttpServer(const asio::any_io_executor& executor, CurrentSnapshot& snapshots,
                       const History& history, AgentCounters& counters)
    : executor_(executor),
      routes_(snapshots, history, counters),
      gate_(executor),
      listener_(executor, "metrics_listen", "metrics_allow", most_open, counters,
                [this](Connection connection) { on_connection(std::move(connection)); }),
      handshakes_(executor),
      closing_(executor) {}

void HttpServer::secure(WebConfig web) {
    const auto settings = [](const WebConfig& of) {
        return of.tls ? &of.tls->settings() : nullptr;
    };
    const auto* const before = settings(web_);
    const auto* const after = settings(web);
    const bool same = before && after ? *before == *after : before == after;
    if (!same)
        for (const auto& [stream, slot] : open_) stream->close();
    web_ = std::move(web);
    gate_.configure(web_.users);
    web_file_.follow(web_);
    for (const auto& warning : web_.warnings) spdlog::warn("{}", warning);
}

void HttpServer::follow_web_file() {
    auto changed = web_file_.changed(web_, Clock::now());
    if (!changed) return;
    spdlog::info("the web file was read again: {}", changed->file.string());
    secure(*std::move(changed));
}

void HttpServer::stop() {
    listener_.stop();
    for (const auto& [stream, slot] : open_) stream->close();
    closing_.finish();
}

asio::awaitable<void> HttpServer::finish() {
    constexpr auto pace = std::chrono::milliseconds(10);
    listener_.stop();
    is_finishing_ = true;
    asio::steady_timer pause(executor_);
    const auto deadline = Clock::now() + finish_timeout;
    while (!open_.empty() && Clock::now() < deadline) {
        for (const auto& [stream, slot] : open_)
            if (slot->is_idle()) stream->close();
        pause.expires_after(pace);
        co_await pause.async_wait(use_tuple);
    }
    stop();
}

void HttpServer::on_connection(Connection connection) {
    follow_web_file();
    if (web_.tls && has_hung_up(connection.socket)) return;
    asio::co_spawn(executor_, serve(std::move(connection)), asio::detached);
}

asio::awaitable<void> HttpServer::serve(Connection connection) {
    const tcp::endpoint source = connection.source;
    boost::beast::tcp_stream stream(
        tcp::socket(executor_, source.protocol(), connection.socket.release()));
    const auto close = [&stream] { stream.close(); };
    connection.slot->on_close(close);
    open_.emplace(&stream, connection.slot.get());
    const bool was_failing = failing_;
    std::string failure;
    try {
        co_await run_session(stream, connection);
        if (was_failing && std::exchange(failing_, false))
            spdlog::info("metrics_listen: requests are answered again");
    } catch (const std::bad_alloc&) {
        failure = "no memory";
    } catch (const std::exception& error) {
        failure = error.what();
    }
    if (!failure.empty()) {
        if (!std::exchange(failing_, true))
            spdlog::error("metrics_listen: a request was cut off: {}", failure);
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
    boost::beast::flat_buffer received(2 * longest_first_record);
    if (!co_await read_client_hello(stream, received)) co_return;
    if (!co_await handshakes_.wait(stream, connection.source.address(), received)) co_return;
    // Records are written one by one: by Nagle's algorithm the second would wait for the client's
    // delayed acknowledgement of the first, 40 ms.
    boost::system::error_code ignored;
    stream.socket().set_option(tcp::no_delay(true), ignored);
    TlsStream tls(stream, certificates->current(Clock::now()));
    tls.expires_after(handshake_timeout);
    const auto [refused, used] =
        co_await tls.async_handshake(asio::ssl::stream_base::server, received.data(), use_tuple);
    if (refused) co_return;
    // The same for a client that writes its request after its last message of the handshake, which
    // gets no answer that the acknowledgement could come with.
    stream.socket().set_option(QuickAck(true), ignored);
    received.clear();
    received.shrink_to_fit();
    auto answers = [&](const HttpRequest& request) {
        return answer(request, connection.source.address());
    };
    co_await http_session(tls, answers, *connection.slot);
    // Without close_notify the client would take the end for a truncation attack.
    tls.expires_after(shutdown_timeout);
    co_await tls.async_shutdown(use_tuple);
}

asio::awaitable<HttpResponse> HttpServer::answer(const HttpRequest& request,
                                                 asio::ip::address source) {
    follow_web_file();
    auto refusal = co_await gate_.refusal(request, source);
    HttpResponse response = refusal ? *std::move(refusal) : routes_.respond(request, Clock::now());
    for (const auto& [name, value] : web_.headers) response.set(name, value);
    if (is_finishing_) response.keep_alive(false);
    co_return response;
}

}  // namespace wcs_node_agent
