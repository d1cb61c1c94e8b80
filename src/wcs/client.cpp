// SPDX-License-Identifier: Apache-2.0
#include "wcs/client.hpp"

#include "wcs/tls_failure.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/version.hpp>

#include <cctype>
#include <memory>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/ssl/verify_context.hpp>
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

FetchError bad_status(const HttpReply& reply, const FetchWords& words) {
    namespace http = boost::beast::http;
    std::string text =
        fmt::format("HTTP {} {}", reply.status(),
                    std::string_view(http::obsolete_reason(http::int_to_status(reply.status()))));
    if (!reply.location().empty()) {
        text += ", to " + one_line(reply.location()) + ", not followed";
    }
    // Apache httpd, nginx and the agent answer plain HTTP on a TLS port with 400 and these words.
    if (reply.status() == 400 && reply.excerpt().find("plain HTTP") != std::string::npos) {
        text += ": this port is TLS: " + words.use_tls;
    }
    return {WcsFault::http_status, text, false, reply.status()};
}

/// Without Accept-Encoding a server may compress as it likes (RFC 9110, 12.5.3).
std::string page_request(const WcsUrl& url, const Asker& asker) {
    return fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: text/plain, application/json\r\n"
        "Accept-Encoding: identity\r\n{}{}{}Connection: close\r\n\r\n",
        url.target, url.host_header(), product,
        asker.authorization.empty() ? "" : "Authorization: ", asker.authorization,
        asker.authorization.empty() ? "" : "\r\n");
}

/// The connection broke, rather than ended.
FetchError broken_exchange(error_code error, const HttpReply& reply, const FetchWords& words) {
    if (auto of_client = client_certificate_failure(error, words); !of_client.empty())
        return {WcsFault::tls, std::move(of_client)};
    return {WcsFault::truncated,
            "the connection ended before the whole page was there: " + reason(error),
            !reply.begun()};
}

FetchError late(std::string_view what, std::chrono::nanoseconds timeout) {
    return {WcsFault::timeout, fmt::format("{} within {:g} s", what, Seconds(timeout).count()),
            true};
}

/// One request and its answer on a connection that is there.
template <class Stream>
asio::awaitable<FetchResult> exchange(Stream& stream, const WcsUrl& url,
                                      std::chrono::nanoseconds timeout, std::size_t max_bytes,
                                      const Asker& asker) {
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    const auto request = page_request(url, asker);
    co_await asio::async_write(stream, asio::buffer(request), token);
    // Who refuses the request, or the client's certificate, has said so before it hung up.
    if (error == asio::error::broken_pipe || error == asio::error::connection_reset) error = {};
    HttpReply reply(max_bytes);
    std::vector<char> buffer(read_bytes);
    while (!error && !reply.done()) {
        const auto size = co_await stream.async_read_some(asio::buffer(buffer), token);
        // An end without TLS's own goodbye is as good as one of TCP: what it may have cut is known.
        const bool ended = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
        auto fault = ended ? reply.end() : reply.put({buffer.data(), size});
        if (fault) {
            fault->silent = !reply.begun();
            // Most TLS servers end a connection that begins with plain HTTP without a word.
            if (fault->silent && !url.tls)
                fault->text += "; if this port is TLS, " + asker.words.use_tls;
            co_return *fault;
        }
    }
    if (error == beast::error::timeout) {
        co_return late(reply.header_done() ? "the page was not whole" : "no answer", timeout);
    }
    if (error && !reply.done()) {
        co_return broken_exchange(error, reply, asker.words);
    }
    if (!reply.has_page()) {
        co_return bad_status(reply, asker.words);
    }
    co_return FetchedPage{std::move(reply.body()), reply.body_end(), reply.content_encoding(),
                          reply.content_type()};
}

/// Has the certificate held against the name that the URL has, by which the server may choose it.
void expect_host(SSL* tls, std::string host) {
    error_code error;
    asio::ip::make_address(host, error);
    if (!error) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host.c_str());
        return;
    }
    // What the macro SSL_set_tlsext_host_name() does, which has casts of C.
    SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
    SSL_set1_host(tls, host.c_str());
}

asio::awaitable<FetchResult> exchange_by_tls(beast::tcp_stream& connection, const WcsUrl& url,
                                             std::chrono::nanoseconds timeout,
                                             std::size_t max_bytes, const TlsTrust& trust,
                                             const Asker& asker) {
    asio::ssl::stream<beast::tcp_stream&> stream(connection, trust.context());
    if (!trust.takes_any_name()) expect_host(stream.native_handle(), url.host);
    std::string refused;
    if (!trust.is_insecure()) {
        stream.set_verify_callback([&](bool is_good, asio::ssl::verify_context& looked_at) {
            if (!is_good && refused.empty())
                refused = certificate_failure(looked_at.native_handle(), url, trust, asker.words);
            return is_good;
        });
    }
    error_code error;
    co_await stream.async_handshake(asio::ssl::stream_base::client,
                                    asio::redirect_error(asio::use_awaitable, error));
    if (error == beast::error::timeout) {
        co_return late("no TLS handshake", timeout);
    }
    if (error) {
        co_return handshake_failure(error, refused, asker.words);
    }
    co_return co_await exchange(stream, url, timeout, max_bytes, asker);
}

/// Does the fetch; the errors do not name the page yet.
asio::awaitable<FetchResult> fetch(const WcsUrl& url, std::chrono::nanoseconds timeout,
                                   std::size_t max_bytes, const TlsTrust& trust,
                                   const Asker& asker) {
    const auto deadline = Clock::now() + timeout;
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);

    const auto endpoints = co_await resolve(url, deadline, error);
    if (error == beast::error::timeout) {
        co_return late("the name was not resolved", timeout);
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
        co_return late("no connection", timeout);
    }
    // Whom an allow-list refuses may be cut off before the connection was noticed here.
    if (error == asio::error::connection_reset)
        co_return broken_exchange(error, HttpReply(max_bytes), asker.words);
    if (error) {
        co_return FetchError{WcsFault::connect, reason(error), true};
    }

    if (url.tls) {
        co_return co_await exchange_by_tls(stream, url, timeout, max_bytes, trust, asker);
    }
    co_return co_await exchange(stream, url, timeout, max_bytes, asker);
}

}  // namespace

asio::awaitable<FetchResult> fetch_page(const WcsUrl& url, std::chrono::nanoseconds timeout,
                                        std::size_t max_bytes, TlsTrust trust, const Asker& asker) {
    auto result = co_await fetch(url, timeout, max_bytes, trust, asker);
    if (result.has_error()) {
        auto error = std::move(result).error();
        error.text = url.text + ": " + error.text;
        co_return error;
    }
    co_return result;
}

asio::awaitable<FetchResult> fetch_page(const WcsUrl& url, std::chrono::nanoseconds timeout,
                                        std::size_t max_bytes, TlsTrust trust) {
    const Asker poller;
    co_return co_await fetch_page(url, timeout, max_bytes, std::move(trust), poller);
}

}  // namespace wcs_node_agent
