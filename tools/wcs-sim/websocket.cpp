// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/websocket.hpp"

#include "wcs-sim/http.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

namespace wcs_node_agent::sim {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;

namespace {

constexpr std::size_t longest_message = 256 * 1024;  // bytes; an SDP offer has some 10,000
constexpr std::size_t most_unsent = 1 << 20;         // bytes, for a client that does not read
constexpr std::size_t most_sessions = 10'000;
constexpr std::chrono::seconds handshake_timeout(5);

/// ADDRESS:PORT as HAProxy's %ci:%cp writes it, an IPv6 address without brackets.
bool is_address_and_port(std::string_view text) {
    return text.size() >= 3 && text.size() <= 64 &&
           text.find_first_not_of("0123456789abcdefABCDEF.:[]") == std::string_view::npos;
}

std::string session_id(const HttpRequest& request, const asio::ip::tcp::socket& socket) {
    const std::string_view forwarded = request["X-Client-IP"];
    error_code unknown;
    const auto client = is_address_and_port(forwarded)
                            ? std::string(forwarded)
                            : fmt::format("{}", fmt::streamed(socket.remote_endpoint(unknown)));
    return fmt::format("/{}/{}-{}", client, fmt::streamed(socket.local_endpoint(unknown)),
                       boost::uuids::to_string(boost::uuids::random_generator()()));
}

HttpResponse refusal(unsigned status, std::string why) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(why);
    return response;
}

/// One client's connection after the upgrade. Its coroutines share it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
    Connection(beast::tcp_stream stream, Signalling& signalling, const Simulation& simulation)
        : socket_(std::move(stream)),
          ping_timer_(socket_.get_executor()),
          signalling_(signalling),
          simulation_(simulation) {}

    asio::awaitable<void> serve(const HttpRequest& request) {
        error_code error;
        set_up_socket();
        co_await socket_.async_accept(request, asio::redirect_error(asio::use_awaitable, error));
        if (error) {
            co_return;
        }
        client_ = signalling_.connect(session_id(request, lowest_layer()),
                                      [self = weak_from_this()](std::string message) {
                                          if (const auto connection = self.lock()) {
                                              connection->send(std::move(message));
                                          }
                                      });
        asio::co_spawn(socket_.get_executor(), ping_until_closed(shared_from_this()),
                       asio::detached);
        const auto reason = co_await receive_until_closed();
        signalling_.disconnect(client_);
        closed_ = true;
        ping_timer_.cancel();
        if (reason) {
            co_await close(*reason);
        }
    }

 private:
    asio::ip::tcp::socket& lowest_layer() { return beast::get_lowest_layer(socket_).socket(); }

    void set_up_socket() {
        beast::get_lowest_layer(socket_).expires_never();
        // Of the upgrade and of the closing handshake. Silence is the keep-alive's business.
        socket_.set_option(websocket::stream_base::timeout{handshake_timeout,
                                                           websocket::stream_base::none(), false});
        socket_.read_message_max(longest_message);
        socket_.text(true);
    }

    /// Why this side should close; none where the other one did.
    asio::awaitable<std::optional<websocket::close_reason>> receive_until_closed() {
        for (;;) {
            beast::flat_buffer buffer;
            error_code error;
            co_await socket_.async_read(buffer, asio::redirect_error(asio::use_awaitable, error));
            if (error) {  // a broken rule of the protocol has been answered with its close code
                co_return std::nullopt;
            }
            if (!socket_.got_text()) {
                co_return websocket::close_reason(websocket::close_code::unknown_data,
                                                  "text frames only");
            }
            unanswered_pings_ = 0;
            if (const auto done =
                    signalling_.receive(client_, beast::buffers_to_string(buffer.data()));
                !done) {
                co_return websocket::close_reason(websocket::close_code::bad_payload,
                                                  done.error().what);
            }
        }
    }

    void send(std::string message) {
        unsent_bytes_ += message.size();
        if (unsent_bytes_ > most_unsent) {
            lowest_layer().close();
            return;
        }
        unsent_.push_back(std::move(message));
        if (unsent_.size() == 1) {
            asio::co_spawn(socket_.get_executor(), send_all(shared_from_this()), asio::detached);
        }
    }

    static asio::awaitable<void> send_all(std::shared_ptr<Connection> self) {
        error_code error;
        while (!self->unsent_.empty() && !error) {
            co_await self->socket_.async_write(asio::buffer(self->unsent_.front()),
                                               asio::redirect_error(asio::use_awaitable, error));
            self->unsent_bytes_ -= self->unsent_.front().size();
            self->unsent_.pop_front();
        }
    }

    static asio::awaitable<void> ping_until_closed(std::shared_ptr<Connection> self) {
        error_code error;
        for (;;) {
            self->ping_timer_.expires_after(self->simulation_.ping_interval);
            co_await self->ping_timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
            if (self->closed_) {
                co_return;
            }
            if (self->unanswered_pings_ >= self->simulation_.ping_probes) {
                co_await self->close({websocket::close_code::policy_error,
                                      fmt::format("{} pings unanswered", self->unanswered_pings_)});
                co_return;
            }
            ++self->unanswered_pings_;
            self->signalling_.ping(self->client_);
        }
    }

    asio::awaitable<void> close(websocket::close_reason reason) {
        // A second close frame would wait for ever.
        if (std::exchange(closing_, true)) {
            co_return;
        }
        // Beast's timeout begins with the close frame, which comes after the message that is being
        // sent: a client that does not read would hold that up for as long as it likes.
        asio::steady_timer deadline(socket_.get_executor(), 2 * handshake_timeout);
        deadline.async_wait([self = weak_from_this()](error_code cancelled) {
            if (const auto connection = self.lock(); connection && !cancelled) {
                error_code ignored;
                connection->lowest_layer().close(ignored);
            }
        });
        error_code error;
        co_await socket_.async_close(reason, asio::redirect_error(asio::use_awaitable, error));
        lowest_layer().close(error);
    }

    websocket::stream<beast::tcp_stream> socket_;
    asio::steady_timer ping_timer_;
    Signalling& signalling_;
    const Simulation& simulation_;
    Signalling::Client client_ = 0;
    std::deque<std::string> unsent_;  // the first one is being sent
    std::size_t unsent_bytes_ = 0;
    unsigned unanswered_pings_ = 0;
    bool closing_ = false;  // a close frame is on its way
    bool closed_ = false;
};

}  // namespace

asio::awaitable<void> serve_websocket(beast::tcp_stream stream, Signalling& signalling,
                                      const Simulation& simulation) {
    const auto request = co_await read_request(stream);
    if (!request) {
        co_return;
    }
    if (!websocket::is_upgrade(*request)) {
        auto response = refusal(426, "this port is for WebSocket clients\n");
        response.headers["Upgrade"] = "websocket";
        co_await respond(stream, *request, response);
        co_return;
    }
    if (signalling.counts().sessions >= most_sessions) {
        const auto response =
            refusal(503, fmt::format("{} sessions are all that it takes\n", most_sessions));
        co_await respond(stream, *request, response);
        co_return;
    }
    const auto connection = std::make_shared<Connection>(std::move(stream), signalling, simulation);
    co_await connection->serve(*request);
}

}  // namespace wcs_node_agent::sim
