// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/http.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

namespace wcs_node_agent::sim {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

using Acceptor = std::shared_ptr<tcp::acceptor>;

asio::awaitable<void> accept_connections(Acceptor acceptor, HttpListener::Session session) {
    asio::steady_timer pause(acceptor->get_executor());
    while (acceptor->is_open()) {
        error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        tcp::socket socket = co_await acceptor->async_accept(token);
        if (!error) {
            beast::tcp_stream stream(std::move(socket));
            asio::co_spawn(acceptor->get_executor(), session(std::move(stream)), asio::detached);
            continue;
        }
        // Out of descriptors, as a rule: the waiting connection would fail again at once.
        pause.expires_after(std::chrono::milliseconds(100));
        co_await pause.async_wait(token);
    }
}

/// In pieces, at the pace and in the form that the response says. Ends early where the client does.
asio::awaitable<void> send_body(beast::tcp_stream& stream, const HttpResponse& response) {
    using std::chrono::milliseconds;
    const auto pace = response.bytes_per_second;
    const auto piece = pace == 0 ? std::size_t{1} << 20U : std::max<std::size_t>(1, pace / 10);
    const auto pause = pace == 0 ? milliseconds(0) : milliseconds(1000 * piece / pace);
    const auto body = std::string_view(response.body).substr(0, response.body_bytes_sent);
    asio::steady_timer timer(stream.get_executor());
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    for (std::size_t at = 0; at < body.size() && !error; at += piece) {
        const auto bytes = body.substr(at, piece);
        const auto buffer = asio::buffer(bytes.data(), bytes.size());
        stream.expires_after(std::chrono::seconds(60));
        if (response.chunked) {
            co_await asio::async_write(stream, http::make_chunk(buffer), token);
        } else {
            co_await asio::async_write(stream, buffer, token);
        }
        if (pace > 0 && !error) {
            timer.expires_after(pause);
            co_await timer.async_wait(token);
        }
    }
    if (response.chunked && body.size() == response.body.size() && !error) {
        co_await asio::async_write(stream, http::make_chunk_last(), token);
    }
}

}  // namespace

std::string_view Target::parameter(std::string_view name) const {
    const auto found = std::ranges::find_if(
        parameters, [name](const auto& parameter) { return parameter.first == name; });
    return found == parameters.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<Target> parse_target(std::string_view target) {
    const auto url = boost::urls::parse_origin_form(target);
    if (!url) {
        return std::nullopt;
    }
    Target parsed;
    parsed.path = url->path();
    for (const auto& parameter : url->params()) {
        parsed.parameters.emplace_back(parameter.key, parameter.value);
    }
    return parsed;
}

asio::awaitable<std::optional<HttpRequest>> read_request(beast::tcp_stream& stream) {
    http::request_parser<http::empty_body> parser;
    beast::flat_buffer buffer;
    error_code error;
    stream.expires_after(std::chrono::seconds(30));
    co_await http::async_read(stream, buffer, parser,
                              asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
        co_return parser.release();
    }
    if (error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream) {
        HttpResponse response;
        response.status = 400;
        response.body = error.message() + '\n';
        const HttpRequest unread;
        co_await respond(stream, unread, response);
    }
    co_return std::nullopt;
}

asio::awaitable<void> respond(beast::tcp_stream& stream, const HttpRequest& request,
                              const HttpResponse& response) {
    http::response<http::empty_body> header(http::status::ok, 11);
    header.result(response.status);
    header.set(http::field::server, "wcs-sim");
    header.set(http::field::content_type, response.content_type);
    header.set(http::field::connection, "close");
    if (response.chunked) {
        header.chunked(true);
    } else {
        header.content_length(response.body.size());
    }
    for (const auto& [name, value] : response.headers) {
        header.set(name, value);
    }

    error_code error;
    stream.expires_after(std::chrono::seconds(60));
    http::response_serializer<http::empty_body> serializer(header);
    co_await http::async_write_header(stream, serializer,
                                      asio::redirect_error(asio::use_awaitable, error));
    if (!error && request.method() != http::verb::head) {
        co_await send_body(stream, response);
    }
    if (response.ends_with_reset) {
        stream.socket().set_option(asio::socket_base::linger(true, 0), error);
        stream.socket().close(error);
        co_return;
    }
    stream.socket().shutdown(tcp::socket::shutdown_send, error);
}

HttpListener::HttpListener(asio::any_io_executor executor, const tcp::endpoint& endpoint,
                           Session session)
    : executor_(std::move(executor)), endpoint_(endpoint), session_(std::move(session)) {}

Result<void> HttpListener::open() {
    if (acceptor_) {
        return {};
    }
    auto acceptor = std::make_shared<tcp::acceptor>(executor_);
    error_code error;
    acceptor->open(endpoint_.protocol(), error);
    if (!error) {
        acceptor->set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error && endpoint_.address().is_v6()) {
        acceptor->set_option(asio::ip::v6_only(true), error);
    }
    if (!error) {
        acceptor->bind(endpoint_, error);
    }
    if (!error) {
        acceptor->listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        return Error{
            fmt::format("cannot listen on {}: {}", fmt::streamed(endpoint_), error.message())};
    }
    endpoint_ = acceptor->local_endpoint(error);
    acceptor_ = acceptor;
    asio::co_spawn(executor_, accept_connections(acceptor, session_), asio::detached);
    return {};
}

void HttpListener::close() {
    if (acceptor_) {
        error_code ignored;
        acceptor_->close(ignored);
        acceptor_.reset();
    }
}

}  // namespace wcs_node_agent::sim
