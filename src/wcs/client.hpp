// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

namespace wcs_node_agent {

/// Where the statistics page is.
struct WcsUrl {
    std::string text;         // as it was written, for messages
    std::string host;         // a name or an address, IPv6 without brackets
    std::uint16_t port = 80;  // 1..65535
    std::string target;       // path and query, as sent

    /// The Host header: an IPv6 address in brackets, the port unless it is 80.
    std::string host_header() const;

    bool operator==(const WcsUrl&) const = default;
};

/// Reads `http://HOST[:PORT][/PATH][?QUERY]`. The error says what is wrong and how to mend it.
Result<WcsUrl> parse_wcs_url(std::string_view text);

/// Why there is no page: the kind for metrics, one line of ASCII for people.
struct FetchError {
    WcsFault fault = WcsFault::none;
    std::string text;
};

/// The body of the answer, or why there is none.
using FetchResult = boost::system::result<std::string, FetchError>;

/// Gets the page with one GET on a connection of its own. The timeout covers all of it, looking up
/// the name included; a body over max_bytes is an error. Redirects are not followed. Does not throw
/// unless the coroutine is cancelled.
boost::asio::awaitable<FetchResult> fetch_page(const WcsUrl& url, std::chrono::nanoseconds timeout,
                                               std::size_t max_bytes);

}  // namespace wcs_node_agent
