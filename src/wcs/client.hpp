// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs/fetch_error.hpp"
#include "wcs/fetch_words.hpp"
#include "wcs/http_reply.hpp"
#include "wcs/tls_trust.hpp"

#include <wcs_node_agent/wcs_url.hpp>

#include <chrono>
#include <cstddef>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

namespace wcs_node_agent {

/// The body of an answer that has a page, and what its sender said of it.
struct FetchedPage {
    std::string body;
    HttpReply::BodyEnd end = HttpReply::BodyEnd::length;
    std::string content_encoding;  // empty: none
    std::string content_type;      // likewise
};

/// Who asks, where it is not the poller of WCS.
struct Asker {
    std::string authorization = {};  // the header's value; empty: none
    FetchWords words = words_of_wcs();
};

/// The page, or why there is none.
using FetchResult = boost::system::result<FetchedPage, FetchError>;

/// Gets the page with one GET on a connection of its own. The timeout covers all of it, looking up
/// the name included. A body over max_bytes is an error, found out before more of it is kept. After
/// each read of at most 16 KiB whatever else the executor has to do gets its turn. Redirects are
/// not followed. Of an https page the server's certificate is verified by `trust`, which must have
/// been made, in a full handshake each time. `asker` must outlive the fetch. Does not throw unless
/// the coroutine is cancelled.
boost::asio::awaitable<FetchResult> fetch_page(const WcsUrl& url, std::chrono::nanoseconds timeout,
                                               std::size_t max_bytes, TlsTrust trust,
                                               const Asker& asker);

/// The same, as the poller of WCS asks.
boost::asio::awaitable<FetchResult> fetch_page(const WcsUrl& url, std::chrono::nanoseconds timeout,
                                               std::size_t max_bytes, TlsTrust trust = {});

}  // namespace wcs_node_agent
