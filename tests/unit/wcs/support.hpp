// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs-sim/simulator.hpp"
#include "wcs/client.hpp"
#include "wcs/url.hpp"

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

/// Long enough for any machine; a test that waits for it has failed.
inline constexpr auto patience = 20s;

/// Runs the context until the condition holds. False: it never did.
template <class Condition>
bool run_until(asio::io_context& io, Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    io.restart();
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        io.run_one_for(50ms);
    }
    return true;
}

/// Runs the context until the coroutine has its value.
template <class Value>
Value run(asio::io_context& io, asio::awaitable<Value> work) {
    std::optional<Value> result;
    std::exception_ptr failure;
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown, Value value) {
        failure = std::move(thrown);
        result.emplace(std::move(value));
    });
    if (!run_until(io, [&] { return result.has_value(); })) {
        throw std::runtime_error("the coroutine did not end");
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
    return std::move(*result);
}

inline void run(asio::io_context& io, asio::awaitable<void> work) {
    std::exception_ptr failure;
    bool ended = false;
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown) {
        failure = std::move(thrown);
        ended = true;
    });
    if (!run_until(io, [&] { return ended; })) {
        throw std::runtime_error("the coroutine did not end");
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

inline tcp::endpoint any_port() { return {asio::ip::address_v4::loopback(), 0}; }

/// A simulator on free ports of loopback.
inline sim::SimulatorOptions simulator_options() {
    sim::SimulatorOptions options;
    options.page = {any_port()};
    options.control = any_port();
    return options;
}

inline std::string url_text(const tcp::endpoint& endpoint, std::string_view target) {
    std::string text = "http://127.0.0.1:" + std::to_string(endpoint.port());
    return text.append(target);
}

inline WcsUrl page_url(const sim::Simulator& simulator) {
    return parse_wcs_url(url_text(simulator.page_endpoints().front(), "/?action=stat")).value();
}

using Response = http::response<http::string_body>;

inline asio::awaitable<Response> exchange(tcp::endpoint endpoint, http::verb method,
                                          std::string target) {
    const auto executor = co_await asio::this_coro::executor;
    boost::beast::tcp_stream stream(executor);
    co_await stream.async_connect(endpoint, asio::use_awaitable);
    http::request<http::empty_body> request(method, target, 11);
    request.set(http::field::host, "test");
    co_await http::async_write(stream, request, asio::use_awaitable);
    http::response_parser<http::string_body> parser;
    parser.skip(method == http::verb::head);
    boost::beast::flat_buffer buffer;
    co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
    co_return parser.release();
}

inline Response get(asio::io_context& io, const tcp::endpoint& endpoint, std::string target,
                    http::verb method = http::verb::get) {
    return run(io, exchange(endpoint, method, std::move(target)));
}

}  // namespace wcs_node_agent::test
