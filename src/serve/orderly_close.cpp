// SPDX-License-Identifier: Apache-2.0
#include "serve/orderly_close.hpp"

#include <array>
#include <chrono>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace wcs_node_agent {

namespace asio = boost::asio;

namespace {

constexpr auto patience = std::chrono::seconds(1);
constexpr std::size_t most = 64 * 1024;  // bytes

}  // namespace

// Linux answers with RST, not FIN, when a socket is closed with bytes unread in it, and also when
// bytes arrive after it was closed. RST takes the reply back where it is still on its way: the
// sender no longer repeats it, and some systems drop what the client has not read yet.
asio::awaitable<void> orderly_close(boost::beast::tcp_stream stream) {
    boost::system::error_code ignored;
    stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    stream.expires_after(patience);
    std::array<char, 1024> rubbish;
    std::size_t total = 0;
    while (total < most) {
        const auto [error, size] = co_await stream.async_read_some(
            asio::buffer(rubbish), asio::as_tuple(asio::use_awaitable));
        if (error) break;
        total += size;
    }
}

}  // namespace wcs_node_agent
