// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/wcs_state.hpp>
#include <wcs_node_agent/wcs_url.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

namespace wcs_node_agent {

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
