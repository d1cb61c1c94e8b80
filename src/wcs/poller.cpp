// SPDX-License-Identifier: Apache-2.0
#include "wcs/poller.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <exception>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace asio = boost::asio;

namespace {

using ByProtocol = std::array<std::optional<double>, all_protocols.size()>;

/// Known only if every protocol is.
std::optional<double> merged(const ByProtocol& counts) {
    double sum = 0;
    for (const auto& count : counts) {
        if (!count) {
            return std::nullopt;
        }
        sum += *count;
    }
    return sum;
}

void hold(std::optional<HeldCount>& held, std::optional<double> count, Clock::time_point now) {
    if (count) {
        held = HeldCount{*count, now};
    }
}

/// What the log reports of a state: once, until it changes.
using Condition = std::pair<WcsFault, std::string>;

std::optional<Condition> condition(const WcsState& state) {
    if (!state.asked) {
        return std::nullopt;
    }
    const bool name_missing = state.fault == WcsFault::missing_name;
    return Condition(state.fault, name_missing ? state.counts.missing : std::string());
}

void log(const WcsState& state, const WcsUrl& url) {
    if (state.fault == WcsFault::none) {
        spdlog::info("wcs: answering, {}", url.text);
    } else if (state.up()) {
        spdlog::warn("wcs: {}", state.fault_text);
    } else {
        spdlog::warn("wcs: not answering: {}", state.fault_text);
    }
}

std::string missing_name_text(const std::string& name, const WcsPage& page,
                              const FetchedPage& fetched) {
    auto missing = missing_number_text(page, name);
    if (page.disputed.contains(name)) return missing;
    if (fetched.end == HttpReply::BodyEnd::connection && !fetched.body.ends_with('\n'))
        return missing + ", and may be cut off: it has neither a length nor a last line end";
    return missing + ": name under `counts` in the configuration what this WCS has instead";
}

bool has_no_count(const StreamCounts& counts) {
    return !counts.publishers_at_least && !counts.subscribers_at_least && !counts.hls_at_least;
}

/// One path of WCS's port is the statistics page, by its query.
std::string_view missing_query(const WcsUrl& url) {
    return url.target.find("action=stat") == std::string::npos
               ? "; wcs_url has no ?action=stat, which makes it that page"
               : "";
}

/// The title of an HTML page; empty: it has none.
std::string title(std::string_view body) {
    constexpr std::size_t looked_at = 4 << 10;
    std::string lower(body.substr(0, looked_at));
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto tag = lower.find("<title");
    const auto begin = tag == std::string::npos ? tag : lower.find('>', tag);
    if (begin == std::string::npos) {
        return {};
    }
    const auto end = lower.find("</", begin);
    return std::string(body.substr(begin + 1, std::min(end, looked_at) - begin - 1));
}

/// `, text/html, titled "..."`, for who has to find out what that is.
std::string what_answers(const FetchedPage& fetched) {
    constexpr std::size_t most = 60;
    std::string text;
    if (!fetched.content_type.empty()) {
        text += ", " + one_line(fetched.content_type);
    }
    if (const auto name = title(fetched.body); !name.empty()) {
        text += fmt::format(", titled \"{}\"", one_line(name.substr(0, most)));
    } else if (!fetched.body.empty()) {
        text += fmt::format(", which begins with \"{}\"", one_line(fetched.body.substr(0, most)));
    }
    return text;
}

void add_names(std::vector<std::string>& keys, const std::vector<std::string>& names) {
    for (const auto& name : names) {
        if (std::ranges::find(keys, name) == keys.end()) {
            keys.push_back(name);
        }
    }
}

void add_keys(std::vector<std::string>& keys, const AnswerSettings& answer) {
    add_names(keys, answer.counts.connections);
    for (const auto& limit : answer.limits) {
        add_names(keys, limit.keys);
        add_names(keys, limit.of);
    }
}

/// Of profiles the counts too: the page is read for the node's own.
std::vector<std::string> keys_of(const Config& config) {
    std::vector<std::string> keys;
    add_keys(keys, config);
    for (const auto& profile : config.profiles) {
        add_keys(keys, profile);
        if (profile.counts == config.counts) continue;
        for (const auto* by_protocol : {&profile.counts.publishers, &profile.counts.subscribers}) {
            for (const auto& names : *by_protocol) {
                add_names(keys, names);
            }
        }
        add_names(keys, profile.counts.hls);
    }
    return keys;
}

}  // namespace

WcsSettings wcs_settings(const Config& config) {
    return {config.wcs_url,       config.wcs_interval, config.wcs_timeout, config.wcs_max_page,
            config.wcs_max_stats, config.counts,       keys_of(config),    {}};
}

FetchOutcome read_page(const FetchResult& fetched, const WcsSettings& settings) {
    FetchOutcome outcome;
    if (!fetched) {
        outcome.fault = fetched.error().fault;
        outcome.fault_text = fetched.error().text;
        if (outcome.fault == WcsFault::http_status) {
            outcome.fault_text += missing_query(settings.url);
        }
        outcome.silent = fetched.error().silent;
        return outcome;
    }
    const auto ending =
        fetched->end == HttpReply::BodyEnd::connection ? Ending::unknown : Ending::known;
    auto page =
        parse_page(fetched->body, ending, settings.max_stats, settings.counts, settings.limit_keys);
    if (!page) {
        outcome.fault = WcsFault::not_a_page;
        outcome.fault_text =
            fmt::format("{}: this is not WCS's statistics page: {}{}{}", settings.url.text,
                        page.error().what, what_answers(*fetched), missing_query(settings.url));
        if (!fetched->content_encoding.empty()) {
            outcome.fault_text +=
                fmt::format("; it is said to be Content-Encoding: {}, which was not asked for",
                            one_line(fetched->content_encoding));
        }
        return outcome;
    }
    outcome.counts = count_streams(*page, settings.counts);
    outcome.page = std::move(*page);
    if (!outcome.counts.missing.empty()) {
        outcome.fault = WcsFault::missing_name;
        outcome.fault_text =
            fmt::format("{}: {}", settings.url.text,
                        missing_name_text(outcome.counts.missing, *outcome.page, *fetched));
        if (has_no_count(outcome.counts)) {
            outcome.fault_text += fmt::format(
                "; it has none of the others either: is this WCS's statistics page?{}{}",
                what_answers(*fetched), missing_query(settings.url));
        }
    }
    return outcome;
}

void hold_counts(WcsState& state, Clock::time_point at) {
    hold(state.publishers, merged(state.counts.publishers), at);
    hold(state.subscribers, merged(state.counts.subscribers), at);
    hold(state.hls, state.counts.hls, at);
}

void record(WcsState& state, FetchOutcome outcome, Clock::time_point now) {
    state.asked = true;
    state.fault = outcome.fault;
    state.fault_text = std::move(outcome.fault_text);
    state.silent = outcome.silent;
    state.fetch_duration = outcome.duration;
    if (outcome.fault != WcsFault::none) {
        ++state.faults_total[static_cast<std::size_t>(outcome.fault)];
    }
    if (outcome.page) {
        state.page_at = now;
        state.page_pause = {};
        state.page = std::make_shared<const WcsPage>(std::move(*outcome.page));
        state.counts = std::move(outcome.counts);
        hold_counts(state, now);
    }
}

Clock::time_point next_start(Clock::time_point previous, std::chrono::nanoseconds interval,
                             Clock::time_point now) {
    const auto next = previous + interval;
    if (next >= now) {
        return next;
    }
    const auto missed = (now - next + interval - std::chrono::nanoseconds(1)) / interval;
    return next + missed * interval;
}

WcsPoller::WcsPoller(const asio::any_io_executor& executor, WcsSettings settings)
    : timer_(executor),
      changed_(executor, asio::steady_timer::time_point::max()),
      settings_(std::move(settings)) {}

void WcsPoller::configure(WcsSettings settings) {
    if (settings == settings_) {
        return;
    }
    settings_ = std::move(settings);
    is_changed_ = true;
    timer_.cancel();
    changed_.cancel();
}

asio::awaitable<void> WcsPoller::run() {
    // Cancelling is the ordinary end: no exception for it.
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    const auto is_cancelled = [&cancellation] {
        return cancellation.cancelled() != asio::cancellation_type::none;
    };
    auto start = Clock::now();
    while (!is_cancelled()) {
        timer_.expires_at(start);
        boost::system::error_code error;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (std::exchange(is_changed_, false)) {
            start = Clock::now();
        }
        try {
            if (!is_cancelled()) {
                co_await fetch_until_changed();
            }
            if (std::exchange(failing_, false)) {
                spdlog::info("wcs: fetches are made again");
            }
        } catch (const std::exception& failure) {
            // No memory, say: that says nothing of WCS, and its counts hold as long as they would.
            if (!std::exchange(failing_, true)) {
                spdlog::error("wcs: no fetch could be made: {}", failure.what());
            }
        }
        start = is_changed_ ? Clock::now() : next_start(start, settings_.interval, Clock::now());
    }
}

/// What is thrown beside an awaitable that goes on would leave that to be waited for.
asio::awaitable<void> WcsPoller::fetch_or_keep(std::exception_ptr& failure) {
    try {
        co_await fetch_once();
    } catch (...) {
        failure = std::current_exception();
    }
}

/// One fetch, which configure() breaks off.
asio::awaitable<void> WcsPoller::fetch_until_changed() {
    using namespace asio::experimental::awaitable_operators;
    std::exception_ptr failure;
    boost::system::error_code ignored;
    co_await (fetch_or_keep(failure) ||
              changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored)));
    if (failure && !is_changed_) {
        std::rethrow_exception(failure);
    }
}

void WcsPoller::extend_freshness(std::chrono::nanoseconds pause) {
    for (auto* held : {&state_.publishers, &state_.subscribers, &state_.hls})
        if (*held) (*held)->at += pause;
    state_.page_pause += pause;
}

asio::awaitable<void> WcsPoller::fetch_once() {
    const auto settings = settings_;  // configure() may come in the meantime
    const auto before = condition(state_);
    const auto started = Clock::now();
    const auto fetched =
        co_await fetch_page(settings.url, settings.timeout, settings.max_page, settings.trust);
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) {
        co_return;  // the fetch was broken off here: that says nothing of WCS
    }
    auto outcome = read_page(fetched, settings);
    const auto now = Clock::now();
    outcome.duration = now - started;
    record(state_, std::move(outcome), now);
    if (condition(state_) != before) {
        log(state_, settings.url);
    }
}

}  // namespace wcs_node_agent
