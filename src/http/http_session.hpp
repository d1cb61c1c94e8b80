// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/http_routes.hpp"

#include <algorithm>
#include <array>
#include <chrono>

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
    constexpr auto use_tuple = boost::asio::as_tuple(boost::asio::use_awaitable);
    const auto set_timeout = [&stream](std::chrono::seconds timeout) {
        static_cast<void>(stream);  // one in memory has no timeouts
        if constexpr (requires { stream.expires_after(timeout); }) stream.expires_after(timeout);
    };

    // Requests that a client sends without waiting for answers are in the buffer already.
    boost::beast::flat_buffer buffer(2 * (most_header + most_body));
    for (bool first = true;; first = false) {
        set_timeout(first || buffer.size() > 0 ? request_timeout : idle_timeout);
        http::request_parser<http::string_body> parser;
        parser.header_limit(most_header);
        parser.body_limit(most_body);
        parser.eager(true);
        boost::system::error_code parse_error = http::error::need_more;
        // Where a body goes on in the next segment, the parser asks for no more: it is not done.
        const auto wants_more = [&] {
            return parse_error ? parse_error == http::error::need_more : !parser.is_done();
        };
        bool begun = buffer.size() > 0;
        if (!begun && !first) slot.set_idle();
        if (begun) buffer.consume(parser.put(buffer.data(), parse_error));
        for (; wants_more(); begun = true) {
            const auto space = std::min(most_header, buffer.max_size() - buffer.size());
            const auto [error, size] =
                co_await stream.async_read_some(buffer.prepare(space), use_tuple);
            if (error || size == 0) co_return;
            buffer.commit(size);
            if (!begun) {
                set_timeout(request_timeout);
                slot.set_working();
            }
            buffer.consume(parser.put(buffer.data(), parse_error));
        }
        std::optional<HttpResponse> response;
        if (parse_error) {
            response = respond_to_fault(parse_error);
        } else {
            response = co_await answer(parser.get());
            set_timeout(request_timeout);
        }
        if (!response) co_return;
        // Beast would walk over its fields again for each question about its buffers.
        const auto header = header_text(*response);
        const auto page = PageBody::buffers(response->body());
        const std::array message{boost::asio::buffer(header), page[0], page[1]};
        const auto [error, written] = co_await boost::asio::async_write(stream, message, use_tuple);
        if (error || !response->keep_alive()) co_return;
    }
}

}  // namespace wcs_node_agent
