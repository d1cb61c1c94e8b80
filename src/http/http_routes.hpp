// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/http_message.hpp"
#include "http/page_cache.hpp"
#include "load/history.hpp"
#include "net/current_snapshot.hpp"

#include <wcs_node_agent/agent_counters.hpp>
#include <wcs_node_agent/clock.hpp>

#include <chrono>
#include <optional>
#include <string>

#include <boost/beast/http/status.hpp>
#include <boost/system/error_code.hpp>

namespace wcs_node_agent {

/// The pages of the HTTP server: `/` with its files, `/metrics`, `/status`, `/history` and
/// `/healthz`, by GET and HEAD.
class HttpRoutes {
 public:
    HttpRoutes(CurrentSnapshot& snapshots, const History& history, AgentCounters& counters);

    /// How young the newest sample must be for /healthz to say 200; more than 0.
    void fresh_for(std::chrono::nanoseconds bound) { fresh_for_ = bound; }

    HttpResponse respond(const HttpRequest& request, Clock::time_point now) const;

 private:
    HttpResponse metrics(const HttpRequest& request, Clock::time_point now) const;
    HttpResponse status(const HttpRequest& request, Clock::time_point now) const;
    HttpResponse history(const HttpRequest& request, Clock::time_point now) const;
    HttpResponse healthz(const HttpRequest& request, Clock::time_point now) const;

    CurrentSnapshot& snapshots_;
    const History& history_;
    mutable PageCache pages_;
    AgentCounters& counters_;
    std::chrono::nanoseconds fresh_for_ = std::chrono::seconds(2);
};

/// A line of text for this request.
HttpResponse text_response(const HttpRequest& request, boost::beast::http::status status,
                           std::string text);

/// Whether the client waits for `100 Continue` before it sends the body (RFC 9110, 10.1.1).
bool expects_continue(const HttpRequest& header);

/// The response to a request of which the header says that it cannot be answered, after which the
/// connection closes: another expectation, another transfer coding than chunked.
std::optional<HttpResponse> refuse(const HttpRequest& header);

/// The response to a request that could not be read, after which the connection closes; none where
/// the client has gone or timed out.
std::optional<HttpResponse> respond_to_fault(const boost::system::error_code& fault);

}  // namespace wcs_node_agent
