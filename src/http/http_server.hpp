// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/auth/web_config.hpp"
#include "http/auth/web_file_follower.hpp"
#include "http/auth/web_gate.hpp"
#include "http/handshake_queue.hpp"
#include "http/http_routes.hpp"
#include "net/lingering_close.hpp"
#include "net/listener.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace wcs_node_agent {

/// Serves HttpRoutes. Must outlive the running of its executor.
class HttpServer {
 public:
    static constexpr OpenConnections::Limits most_open{.in_all = 512, .per_source = 64};

    HttpServer(const asio::any_io_executor& executor, CurrentSnapshot& snapshots,
               const History& history, AgentCounters& counters);

    /// As Listener's: all of the endpoints from now on, or an error and no change.
    Result<void> listen(std::span<const tcp::endpoint> endpoints) {
        return listener_.listen(endpoints);
    }

    Listener& listener() { return listener_; }
    void allow(AllowList allowed) { listener_.allow(std::move(allowed)); }
    void give_to(uid_t user, gid_t group) { listener_.give_to(user, group); }
    void limit(OpenConnections::Limits limits) { listener_.limit(limits); }
    std::vector<tcp::endpoint> endpoints() const { return listener_.endpoints(); }

    /// The greatest age of the newest sample for which /healthz is 200 (default 2 s).
    void fresh_for(std::chrono::nanoseconds bound) { routes_.fresh_for(bound); }

    /// Passwords and headers from the next request on, TLS from the next connection on: if its
    /// settings change, open connections are closed. Logs its warnings. From then on its file is
    /// followed.
    void secure(WebConfig web);

    /// What is in use.
    const WebConfig& web() const { return web_; }

    /// Closes the endpoints and ends all sessions.
    void stop();

    /// The same in order: who has connected gets an answer before, if the request comes within a
    /// second.
    asio::awaitable<void> finish();

 private:
    void follow_web_file();
    void on_connection(Connection connection);
    asio::awaitable<void> serve(Connection connection);
    asio::awaitable<void> run_session(boost::beast::tcp_stream& stream, Connection& connection);
    asio::awaitable<void> run_tls_session(boost::beast::tcp_stream& stream, Connection& connection,
                                          std::shared_ptr<TlsCertificates> certificates);
    asio::awaitable<HttpResponse> answer(const HttpRequest& request, asio::ip::address source);

    asio::any_io_executor executor_;
    HttpRoutes routes_;
    WebGate gate_;
    WebConfig web_;
    WebFileFollower web_file_;
    Listener listener_;
    HandshakeQueue handshakes_;
    std::map<boost::beast::tcp_stream*, const OpenConnections::Slot*> open_;
    bool is_finishing_ = false;
    bool failing_ = false;  // the last request was cut off: no memory, say
    LingeringClose closing_;
};

}  // namespace wcs_node_agent
