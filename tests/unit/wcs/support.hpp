// SPDX-License-Identifier: Apache-2.0
// What needs a Beast client or a coroutine's end is in support.cpp: each file that instantiates it
// takes half a minute longer to compile.
#pragma once

#include "wcs-sim/simulator.hpp"
#include "wcs/client.hpp"
#include "wcs/url.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/verb.hpp>

namespace wcs_node_agent::test {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

/// Long enough for any machine; a test that waits for it has failed.
inline constexpr auto timeout = 20s;

/// Runs the context until the condition holds. False: it never did.
bool run_until(asio::io_context& io, const std::function<bool()>& condition);

/// Runs the context until the coroutine has ended, and throws what it threw.
void run(asio::io_context& io, asio::awaitable<void> work);

/// The same with fetch_page().
FetchResult fetch(asio::io_context& io, const WcsUrl& url, std::chrono::nanoseconds within,
                  std::size_t max_bytes);

/// Leaves the coroutine to whoever runs the context, what it throws to nobody.
void spawn(asio::io_context& io, asio::awaitable<void> work);

inline tcp::endpoint any_port() { return {asio::ip::address_v4::loopback(), 0}; }

/// A simulator on free ports of loopback.
sim::SimulatorOptions simulator_options();

std::string url_text(const tcp::endpoint& endpoint, std::string_view target);

WcsUrl page_url(const sim::Simulator& simulator);

using Response = http::response<http::string_body>;

/// One exchange on a connection of its own.
asio::awaitable<void> exchange(tcp::endpoint endpoint, http::verb method, std::string target,
                               Response& response);

Response get(asio::io_context& io, const tcp::endpoint& endpoint, std::string target,
             http::verb method = http::verb::get);

/// What these bytes are answered with, up to the end of the connection.
std::string answer_to(asio::io_context& io, const tcp::endpoint& endpoint, std::string_view bytes);

}  // namespace wcs_node_agent::test
