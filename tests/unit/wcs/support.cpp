// SPDX-License-Identifier: Apache-2.0
#include "unit/wcs/support.hpp"

#include <exception>
#include <stdexcept>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace wcs_node_agent::test {

bool run_until(asio::io_context& io, const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    io.restart();
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        io.run_one_for(50ms);
    }
    return true;
}

void run(asio::io_context& io, asio::awaitable<void> work) {
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

static asio::awaitable<void> keep_page(FetchResult& result, WcsUrl url,
                                       std::chrono::nanoseconds within, std::size_t max_bytes) {
    result = co_await fetch_page(url, within, max_bytes);
}

FetchResult fetch(asio::io_context& io, const WcsUrl& url, std::chrono::nanoseconds within,
                  std::size_t max_bytes) {
    FetchResult result;
    run(io, keep_page(result, url, within, max_bytes));
    return result;
}

void spawn(asio::io_context& io, asio::awaitable<void> work) {
    asio::co_spawn(io, std::move(work), asio::detached);
}

sim::SimulatorOptions simulator_options() {
    sim::SimulatorOptions options;
    options.page = {any_port()};
    options.control = any_port();
    return options;
}

std::string url_text(const tcp::endpoint& endpoint, std::string_view target) {
    std::string text = "http://127.0.0.1:" + std::to_string(endpoint.port());
    return text.append(target);
}

WcsUrl page_url(const sim::Simulator& simulator) {
    return parse_wcs_url(url_text(simulator.page_endpoints().front(), "/?action=stat")).value();
}

asio::awaitable<void> exchange(tcp::endpoint endpoint, http::verb method, std::string target,
                               Response& response) {
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
    response = parser.release();
}

Response get(asio::io_context& io, const tcp::endpoint& endpoint, std::string target,
             http::verb method) {
    Response response;
    run(io, exchange(endpoint, method, std::move(target), response));
    return response;
}

std::string answer_to(asio::io_context& io, const tcp::endpoint& endpoint, std::string_view bytes) {
    tcp::socket socket(io);
    socket.connect(endpoint);
    asio::write(socket, asio::buffer(bytes));
    std::string answer;
    bool ended = false;
    asio::async_read(socket, asio::dynamic_buffer(answer),
                     [&](boost::system::error_code, std::size_t) { ended = true; });
    if (!run_until(io, [&] { return ended; })) {
        throw std::runtime_error("the connection did not end");
    }
    return answer;
}

}  // namespace wcs_node_agent::test
