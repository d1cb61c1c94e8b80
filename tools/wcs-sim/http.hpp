// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

namespace wcs_node_agent::sim {

using HttpRequest = boost::beast::http::request<boost::beast::http::empty_body>;

/// A request's target taken apart, percent signs decoded.
struct Target {
    std::string path;
    std::vector<std::pair<std::string, std::string>> parameters;  // in order

    /// The first value under a name; empty if there is none.
    std::string_view parameter(std::string_view name) const;
};

/// None: not the path and query of a URL.
std::optional<Target> parse_target(std::string_view target);

struct HttpResponse {
    unsigned status = 200;
    std::string content_type = "text/plain";
    std::string body;
    std::map<std::string, std::string> headers;       // besides the usual ones
    std::size_t body_bytes_sent = std::string::npos;  // fewer than the body has: a broken answer
    std::size_t bytes_per_second = 0;                 // of the body; 0: as fast as it goes
    bool chunked = false;
    bool ends_with_reset = false;
};

/// Reads one request within 30 s. None: the client went away or did not speak HTTP, which has been
/// answered.
boost::asio::awaitable<std::optional<HttpRequest>> read_request(boost::beast::tcp_stream& stream);

/// Sends one response within 60 s and ends the connection. HEAD gets no body.
boost::asio::awaitable<void> respond(boost::beast::tcp_stream& stream, const HttpRequest& request,
                                     const HttpResponse& response);

/// Listens on one address and hands each connection to a coroutine of its own.
class HttpListener {
 public:
    using Session = std::function<boost::asio::awaitable<void>(boost::beast::tcp_stream)>;

    /// Port 0: any free one, which stays the same when opened again.
    HttpListener(boost::asio::any_io_executor executor,
                 const boost::asio::ip::tcp::endpoint& endpoint, Session session);

    /// Begins to accept. Nothing happens if it is open.
    Result<void> open();

    /// Refuses new connections; those that there are go on.
    void close();

    /// The bound address, once it has been open.
    boost::asio::ip::tcp::endpoint endpoint() const { return endpoint_; }

 private:
    boost::asio::any_io_executor executor_;
    boost::asio::ip::tcp::endpoint endpoint_;
    Session session_;
    std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor_;  // shared with the accepting loop
};

}  // namespace wcs_node_agent::sim
