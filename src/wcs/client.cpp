// SPDX-License-Identifier: Apache-2.0
#include "wcs/client.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/version.hpp>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

namespace wcs_node_agent {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t read_bytes = 16 << 10;

/// Of what is not parsed yet: a header, or a line between chunks, which alone has no bound in
/// Beast.
constexpr std::size_t max_unparsed_bytes = 64 << 10;

using Parser = http::response_parser<http::string_body>;

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

/// Text of a foreign hand in one short line of printable ASCII.
std::string one_line(std::string_view text) {
    std::string line(text.substr(0, 200));
    std::ranges::replace_if(
        line, [](char c) { return c < ' ' || c > '~'; }, '?');
    return line;
}

std::string reason(error_code error) {
    std::string text = error.message();
    if (!text.empty()) {
        text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    }
    return one_line(text);
}

bool is_http_error(error_code error) {
    return error.category() == make_error_code(http::error::end_of_stream).category();
}

/// The seven bytes with which a TLS server refuses plain HTTP are too few for the parser to judge.
bool is_tls_alert(const beast::flat_buffer& unparsed) {
    const auto bytes = unparsed.data();
    return bytes.size() == 7 && *static_cast<const char*>(bytes.data()) == '\x15';
}

/// Sorts the failures of reading and writing on an open connection.
FetchError broken_exchange(error_code error, std::size_t max_bytes) {
    if (error == http::error::body_limit) {
        return {WcsFault::too_large, fmt::format("the page is larger than {} bytes", max_bytes)};
    }
    if (error == http::error::header_limit) {
        return {WcsFault::too_large, "the header of the answer is too large"};
    }
    if (error == http::error::buffer_overflow) {
        return {WcsFault::too_large, "a line between chunks of the answer is too long"};
    }
    if (error == http::error::end_of_stream) {
        return {WcsFault::truncated, "the connection ended before the answer"};
    }
    if (is_http_error(error) && error != http::error::partial_message) {
        return {WcsFault::not_a_page, "not HTTP: " + reason(error)};
    }
    return {WcsFault::truncated,
            "the connection ended before the whole page was there: " + reason(error)};
}

FetchError bad_status(const Parser& parser) {
    const auto& header = parser.get();
    std::string text = fmt::format("HTTP {} {}", header.result_int(),
                                   std::string_view(http::obsolete_reason(header.result())));
    if (const auto location = header.find(http::field::location); location != header.end()) {
        text += ", to " + one_line(location->value()) + ", not followed";
    }
    return {WcsFault::http_status, text};
}

http::request<http::empty_body> page_request(const WcsUrl& url) {
    http::request<http::empty_body> request(http::verb::get, url.target, 11);
    request.set(http::field::host, url.host_header());
    request.set(http::field::user_agent, product);
    request.set(http::field::accept, "text/plain, application/json");
    request.set(http::field::connection, "close");
    return request;
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
    Parser parser;
    parser.body_limit(max_bytes);
    beast::flat_buffer buffer(max_unparsed_bytes);
    buffer.reserve(read_bytes);  // what one read fills
    co_await http::async_write(stream, request, token);
    if (!error) {
        co_await http::async_read_header(stream, buffer, parser, token);
    }
    if (error == beast::error::timeout) {
        co_return late("no answer");
    }
    if (!error && parser.get().result() != http::status::ok) {
        co_return bad_status(parser);
    }
    if (!error) {
        co_await http::async_read(stream, buffer, parser, token);
    }
    if (error == beast::error::timeout) {
        co_return late("the page was not whole");
    }
    if (error && !parser.is_header_done() && is_tls_alert(buffer)) {
        co_return FetchError{WcsFault::not_a_page, "TLS, not plain HTTP"};
    }
    if (error) {
        auto broken = broken_exchange(error, max_bytes);
        broken.silent = !parser.got_some() && buffer.size() == 0;
        co_return broken;
    }
    co_return std::move(parser.get().body());
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
