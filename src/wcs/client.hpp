// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
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

/// That the sink has the whole body, or why it has not.
using Fetched = boost::system::result<void, FetchError>;

/// Takes the next bytes of a body.
using BodySink = std::function<void(std::string_view piece)>;

/// Gets the page with one GET on a connection of its own, and gives it to the sink as it comes, in
/// pieces of at most 16 KiB between which whatever else the executor has to do gets its turn. The
/// timeout covers all of it, looking up the name included; a body over max_bytes is an error.
/// Redirects are not followed. Does not throw unless the coroutine is cancelled.
boost::asio::awaitable<Fetched> fetch_page(const WcsUrl& url, std::chrono::nanoseconds timeout,
                                           std::size_t max_bytes, BodySink sink);

/// The body of the answer, or why there is none.
using FetchResult = boost::system::result<std::string, FetchError>;

/// The same, with the page as a whole.
boost::asio::awaitable<FetchResult> fetch_page(const WcsUrl& url, std::chrono::nanoseconds timeout,
                                               std::size_t max_bytes);

}  // namespace wcs_node_agent
