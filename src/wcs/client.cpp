// SPDX-License-Identifier: Apache-2.0
#include "wcs/client.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/version.hpp>

#include <cctype>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

namespace wcs_node_agent {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t read_bytes = 16 << 10;

/// A lookup that can be left behind: getaddrinfo() cannot be interrupted, and would hold up the
/// deadline.
struct Lookup {
    explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), ended(executor) {}

    tcp::resolver resolver;
    asio::steady_timer ended;  // cancelled when the lookup ends, expires at the deadline
    error_code error = beast::error::timeout;
    tcp::resolver::results_type endpoints;
};

/// Asio starts its resolver thread at the first lookup; that can fail like any thread.
void start(const std::shared_ptr<Lookup>& lookup, const std::string& host,
           const std::string& port) {
    const auto on_end = [lookup](error_code error, tcp::resolver::results_type endpoints) {
        lookup->error = error;
        lookup->endpoints = std::move(endpoints);
        lookup->ended.cancel();
    };
    try {
        lookup->resolver.async_resolve(host, port, tcp::resolver::numeric_service, on_end);
    } catch (const boost::system::system_error& error) {
        lookup->error = error.code();
        lookup->ended.expires_at(Clock::now());
    }
}

asio::awaitable<tcp::resolver::results_type> resolve(const WcsUrl& url, Clock::time_point deadline,
                                                     error_code& error) {
    const auto port = std::to_string(url.port);
    const auto address = asio::ip::make_address(url.host, error);
    if (!error) {  // an address needs no resolver, and so no thread
        co_return tcp::resolver::results_type::create(tcp::endpoint(address, url.port), url.host,
                                                      port);
    }
    const auto executor = co_await asio::this_coro::executor;
    const auto lookup = std::make_shared<Lookup>(executor);
    lookup->ended.expires_at(deadline);
    start(lookup, url.host, port);
    error_code woken;
    co_await lookup->ended.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    lookup->resolver.cancel();
    error = lookup->error;
    co_return lookup->endpoints;
}

std::string reason(error_code error) {
    std::string text = error.message();
    if (!text.empty()) {
        text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    }
    return one_line(text);
}

FetchError bad_status(const HttpReply& reply) {
    namespace http = boost::beast::http;
    std::string text =
        fmt::format("HTTP {} {}", reply.status(),
                    std::string_view(http::obsolete_reason(http::int_to_status(reply.status()))));
    if (!reply.location().empty()) {
        text += ", to " + one_line(reply.location()) + ", not followed";
    }
    return {WcsFault::http_status, text};
}

/// Without Accept-Encoding a server may compress as it likes (RFC 9110, 12.5.3).
std::string page_request(const WcsUrl& url) {
    return fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: text/plain, application/json\r\n"
        "Accept-Encoding: identity\r\nConnection: close\r\n\r\n",
        url.target, url.host_header(), product);
}

/// The connection broke, rather than ended.
FetchError broken_exchange(error_code error, const HttpReply& reply) {
    return {WcsFault::truncated,
            "the connection ended before the whole page was there: " + reason(error),
            !reply.begun()};
}

/// Does the fetch; the errors do not name the page yet.
asio::awaitable<FetchResult> fetch(const WcsUrl& url, std::chrono::nanoseconds timeout,
                                   std::size_t max_bytes) {
    const auto deadline = Clock::now() + timeout;
    const auto late = [timeout](std::string_view what) {
        return FetchError{WcsFault::timeout,
                          fmt::format("{} within {:g} s", what, Seconds(timeout).count()), true};
    };
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);

    const auto endpoints = co_await resolve(url, deadline, error);
    if (error == beast::error::timeout) {
        co_return late("the name was not resolved");
    }
    if (error) {
        co_return FetchError{WcsFault::connect, "the name does not resolve: " + reason(error),
                             true};
    }

    const auto executor = co_await asio::this_coro::executor;
    beast::tcp_stream stream(executor);
    stream.expires_at(deadline);
    co_await stream.async_connect(endpoints, token);
    if (error == beast::error::timeout) {
        co_return late("no connection");
    }
    if (error) {
        co_return FetchError{WcsFault::connect, reason(error), true};
    }

    const auto request = page_request(url);
    co_await asio::async_write(stream, asio::buffer(request), token);
    HttpReply reply(max_bytes);
    std::vector<char> buffer(read_bytes);
    while (!error && !reply.done()) {
        const auto size = co_await stream.async_read_some(asio::buffer(buffer), token);
        auto fault = error == asio::error::eof ? reply.end() : reply.put({buffer.data(), size});
        if (fault) {
            fault->silent = !reply.begun();
            co_return *fault;
        }
    }
    if (error == beast::error::timeout) {
        co_return late(reply.header_done() ? "the page was not whole" : "no answer");
    }
    if (error && !reply.done()) {
        co_return broken_exchange(error, reply);
    }
    if (!reply.has_page()) {
        co_return bad_status(reply);
    }
    co_return FetchedPage{std::move(reply.body()), reply.body_end(), reply.content_encoding()};
}

}  // namespace

asio::awaitable<FetchResult> fetch_page(const WcsUrl& url, std::chrono::nanoseconds timeout,
                                        std::size_t max_bytes) {
    auto result = co_await fetch(url, timeout, max_bytes);
    if (result.has_error()) {
        co_return FetchError{result.error().fault, url.text + ": " + result.error().text,
                             result.error().silent};
    }
    co_return result;
}

}  // namespace wcs_node_agent
