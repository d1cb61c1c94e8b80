// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/http_routes.hpp"
#include "http/request_header.hpp"
#include "net/use_tuple.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>

namespace wcs_node_agent {

/// Answers requests on one connection, one after the other, until it is to be closed. A stream with
/// expires_after() has a timeout for each request and one for the time between requests. The slot
/// is set_idle() between requests, and set_working() with the first byte of one. answer(request) is
/// an awaitable response; the time that it takes does not count for the timeout.
template <class Stream, class Answer, class Slot>
boost::asio::awaitable<void> http_session(Stream& stream, Answer& answer, Slot& slot) {
    namespace http = boost::beast::http;
    constexpr auto request_timeout =
        std::chrono::seconds(10);                            // to read it, and to write the answer
    constexpr auto idle_timeout = std::chrono::seconds(60);  // from one request to the next
    constexpr std::size_t most_header = 8'192;
    constexpr std::size_t most_body = 8'192;  // no route takes one
    const auto set_timeout = [&stream](std::chrono::seconds timeout) {
        static_cast<void>(stream);  // one in memory has no timeouts
        if constexpr (requires { stream.expires_after(timeout); }) stream.expires_after(timeout);
    };

    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

    // Requests that a client sends without waiting for answers are in the buffer already.
    boost::beast::flat_buffer buffer(2 * (most_header + most_body));
    for (bool first = true;; first = false) {
        RequestHeader header(most_header);
        http::request_parser<http::string_body> parser;
        parser.header_limit(2 * most_header);
        parser.body_limit(most_body);
        parser.eager(true);
        boost::system::error_code parse_error;
        std::optional<HttpResponse> response;
        // Nobody wants a body. One in chunks is left unread, and the connection ends: between
        // chunks Beast's parser reads past its bytes where they come in small pieces.
        const auto has_chunks = [&] { return parser.is_header_done() && parser.chunked(); };
        const auto wants_more = [&] {
            return !parse_error && !response && !has_chunks() && !parser.is_done();
        };
        const auto put = [&](boost::asio::const_buffer bytes) {
            const auto size = parser.put(bytes, parse_error);
            if (parse_error == http::error::need_more) parse_error = {};
            return size;
        };
        const auto parse = [&] {
            if (!header.done()) {
                const auto bytes = buffer.data();
                buffer.consume(header.put({static_cast<const char*>(bytes.data()), bytes.size()}));
                parse_error = header.fault();
                if (!header.done()) return;
                put(boost::asio::buffer(header.text()));
                if (!parse_error) response = refuse(parser.get());
            }
            if (wants_more() && buffer.size() > 0) buffer.consume(put(buffer.data()));
        };

        parse();
        bool begun = header.begun();
        if (!begun && !first) slot.set_idle();
        set_timeout(first || begun ? request_timeout : idle_timeout);
        for (bool may_go_on = true; wants_more();) {
            const bool waits = header.done() && buffer.size() == 0 && parser.get().body().empty();
            if (waits && may_go_on && expects_continue(parser.get())) {
                const auto [error, size] = co_await boost::asio::async_write(
                    stream, boost::asio::buffer(go_on), use_tuple);
                if (error) co_return;
                may_go_on = false;
            }
            const auto space = std::min(most_header, buffer.max_size() - buffer.size());
            const auto [error, size] =
                co_await stream.async_read_some(buffer.prepare(space), use_tuple);
            if (error || size == 0) co_return;
            buffer.commit(size);
            parse();
            if (!begun && header.begun()) {
                begun = true;
                set_timeout(request_timeout);
                slot.set_working();
            }
        }
        if (parse_error) {
            response = respond_to_fault(parse_error);
        } else if (!response) {
            response = co_await answer(parser.get());
            if (has_chunks()) response->keep_alive(false);
            set_timeout(request_timeout);
        }
        if (!response) co_return;
        // Beast would walk over its fields again for each question about its buffers.
        const auto text = header_text(*response);
        const auto page = PageBody::buffers(response->body());
        const std::array message{boost::asio::buffer(text), page[0], page[1]};
        const auto [error, written] = co_await boost::asio::async_write(stream, message, use_tuple);
        if (error || !response->keep_alive()) co_return;
    }
}

}  // namespace wcs_node_agent
