// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs/client.hpp"
#include "wcs/page.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

/// What the poller needs of the configuration.
struct WcsSettings {
    WcsUrl url;
    std::chrono::nanoseconds interval{};  // from fetch to fetch, greater than 0
    std::chrono::nanoseconds timeout{};   // for one whole fetch
    std::size_t max_page = 0;             // bytes
    std::size_t max_stats = 0;            // entries kept of a page
    CountNames counts;
    std::vector<std::string> limit_keys;  // what limits and the weight need besides the counts
    TlsTrust trust;                       // made, where the URL is https

    bool operator==(const WcsSettings&) const = default;
};

/// Without the trust: see load_wcs_settings().
WcsSettings wcs_settings(const Config& config);

/// How one fetch ended. A page without a needed name is a page and a fault at once.
struct FetchOutcome {
    std::optional<WcsPage> page;
    StreamCounts counts;  // from that page
    WcsFault fault = WcsFault::none;
    std::string fault_text;  // one line for people; empty without a fault
    bool silent = false;     // nothing answered in time
    std::chrono::nanoseconds duration{};
};

/// Parses what was fetched, if the fetch went well, and counts.
FetchOutcome read_page(const FetchResult& fetched, const WcsSettings& settings);

/// Takes an outcome that came at `now` into the state. Counts that it does not give stay as they
/// were, with their time.
void record(WcsState& state, FetchOutcome outcome, Clock::time_point now);

/// Holds what state.counts has, as of `at`; a count that it lacks stays as it was.
void hold_counts(WcsState& state, Clock::time_point at);

/// The first start of the grid previous + k * interval, k >= 1, that is not before now: a fetch
/// that took too long is not made up for. The interval is greater than 0.
Clock::time_point next_start(Clock::time_point previous, std::chrono::nanoseconds interval,
                             Clock::time_point now);

/// Asks WCS for its page at a fixed interval and keeps what is known of it. One thread.
class WcsPoller {
 public:
    WcsPoller(const boost::asio::any_io_executor& executor, WcsSettings settings);

    /// Where that changes anything, a fetch begins at once, whatever waits or is under way.
    void configure(WcsSettings settings);

    /// Fetches until cancelled, the first time at once, never two at a time.
    boost::asio::awaitable<void> run();

    /// One fetch; the state has its outcome afterwards. Not while run() runs.
    boost::asio::awaitable<void> fetch_once();

    const WcsState& state() const { return state_; }
    const WcsSettings& settings() const { return settings_; }

    /// This process did not run for so long and could not ask: the counts hold for that much
    /// longer.
    void extend_freshness(std::chrono::nanoseconds pause);

 private:
    boost::asio::awaitable<void> fetch_or_keep(std::exception_ptr& failure);
    boost::asio::awaitable<void> fetch_until_changed();

    boost::asio::steady_timer timer_;
    boost::asio::steady_timer changed_;  // never expires: configure() cancels it
    bool is_changed_ = false;            // since the last fetch began
    bool failing_ = false;               // the last fetch could not be made
    WcsSettings settings_;
    WcsState state_;
};

}  // namespace wcs_node_agent
