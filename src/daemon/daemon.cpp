// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon.hpp"

#include "config/profile_values.hpp"
#include "config/settings.hpp"
#include "config/value_text.hpp"
#include "daemon/connection_budget.hpp"
#include "net/use_tuple.hpp"
#include "process/descriptors.hpp"
#include "process/log.hpp"
#include "process/signals.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <sstream>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

using asio::use_awaitable;

/// Older than so many intervals a sample is not fresh, but at least this long: a busy node may be
/// late.
constexpr int fresh_intervals = 4;
constexpr std::chrono::nanoseconds fresh_at_least = std::chrono::seconds(2);

constexpr auto shortest_watchdog_pace = std::chrono::milliseconds(1);

std::string texts(const std::vector<tcp::endpoint>& endpoints) {
    std::ostringstream all;
    for (const auto& endpoint : endpoints) all << (all.tellp() > 0 ? ", " : "") << endpoint;
    return all.str();
}

/// The first error, if there is one, is returned.
std::string log_refusal(const ConfigErrors& errors) {
    std::string first;
    for (const auto& error : errors) {
        auto text = fmt::format("{}: {}", error.where, error.what);
        spdlog::error("reload: nothing changed: {}", text);
        if (first.empty()) first = std::move(text);
    }
    return first;
}

void log_reload(const std::vector<SettingChange>& changes, bool has_new_web_file) {
    std::string done = has_new_web_file ? ": the web file" : "";
    for (const auto& [name, before, after, needs_restart] : changes) {
        if (needs_restart)
            spdlog::warn("reload: {} takes effect at the next start", name);
        else
            done += fmt::format("{}{}: {} -> {}", done.empty() ? ": " : "; ", name, before, after);
    }
    spdlog::info("reload: done{}", done.empty() ? ", no setting changed" : done);
}

}  // namespace

Daemon::Daemon(ConfigSource source, LoadedConfig loaded, Sampler sampler, InheritedPorts inherited)
    : source_(std::move(source)),
      config_(std::move(loaded.config)),
      ports_(agent_server_, http_server_, notifier_, std::move(inherited), config_),
      assessor_(config_),
      poller_(io_.get_executor(), std::move(loaded.wcs)),
      sampling_(io_.get_executor(), std::move(sampler)) {
    http_server_.secure(std::move(loaded.web));
    configure(config_);
}

void Daemon::limit_connections(std::size_t descriptors) {
    const auto used = open_descriptors();
    const auto budget = connection_budget(descriptors, used);
    agent_server_.limit(budget.agent);
    http_server_.limit(budget.metrics);
    if (budget == connection_budget(std::numeric_limits<std::size_t>::max(), used)) return;
    spdlog::warn(
        "the limit of {} open descriptors leaves {} connections on agent_listen and {} on "
        "metrics_listen: raise it (ulimit -n, LimitNOFILE=)",
        descriptors, budget.agent.in_all, budget.metrics.in_all);
}

void Daemon::give_to(uid_t user, gid_t group) {
    agent_server_.give_to(user, group);
    desk_.give_to(user, group);
    http_server_.give_to(user, group);
}

Result<void> Daemon::listen() {
    if (auto done = ports_.listen(config_); !done) return done;
    spdlog::info("answering HAProxy on {}, HTTP on {}", texts(agent_server_.endpoints()),
                 texts(http_server_.endpoints()));
    if (const auto opened = local_server_.open(); !opened)
        spdlog::info("wcs-node-agent check does not ask this agent: {}", opened.error().what);
    if (const auto opened = desk_.open(config_.control); !opened)
        spdlog::warn("drain, maint and ready do not reach this agent: {}", opened.error().what);
    return {};
}

void Daemon::configure(const Config& config) {
    spdlog::set_level(spdlog::level::from_str(config.log_level));
    agent_server_.allow(config.allow);
    http_server_.allow(config.metrics_allow);
    fresh_for_ = std::max(fresh_intervals * config.sample_interval, fresh_at_least);
    http_server_.fresh_for(fresh_for_);
    std::vector<std::shared_ptr<CurrentAnswer>> answers;
    answers.reserve(ports_.profiles().size());
    for (const auto& profile : ports_.profiles())
        answers.emplace_back(profile.responder, &profile.responder->current());
    publisher_.configure(config, fresh_for_, answers);
    assessor_.configure(config);
}

void Daemon::serve() {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
    sampling_.start(
        config_, [this](Result<Sample> sampled) { receive(std::move(sampled)); },
        [this](std::exception_ptr unhandled) { fail(std::move(unhandled)); });
    deliver_signals();  // to this thread
    start(handle_signals());
    start(reload_when_asked());
    start(poller_.run());
    start(local_server_.serve());
    start(desk_.serve());
    start(watch_samples());
    start(feed_watchdog());
    io_.run();
    end_counting();
    if (unhandled_) std::rethrow_exception(unhandled_);
}

/// A task that ends by an exception ends the daemon: half of one would answer with old figures for
/// ever.
void Daemon::start(asio::awaitable<void> task) {
    asio::co_spawn(io_, std::move(task), [this](std::exception_ptr unhandled) {
        if (unhandled) fail(std::move(unhandled));
    });
}

void Daemon::fail(std::exception_ptr unhandled) {
    unhandled_ = std::move(unhandled);
    io_.stop();
}

/// Sees to it that the verdict ages where no sample comes, not even one that failed.
asio::awaitable<void> Daemon::watch_samples() {
    asio::steady_timer next(io_);
    for (;;) {
        const auto now = Clock::now();
        if (!detect_stall(now) && now - last_sample_ >= fresh_for_)
            fail_sample("the kernel keeps it waiting", now);
        notifier_.retry();
        next.expires_at(now + fresh_for_ / 2);
        co_await next.async_wait(use_awaitable);
    }
}

/// At its own pace, whatever the sample interval, as long as samples are fresh.
asio::awaitable<void> Daemon::feed_watchdog() {
    const auto timeout = watchdog_interval();
    if (!timeout) co_return;
    const auto pace = std::max<std::chrono::nanoseconds>(*timeout / 2, shortest_watchdog_pace);
    asio::steady_timer next(io_);
    for (;;) {
        if (Clock::now() - last_sample_ < fresh_for_) notifier_.watchdog();
        next.expires_after(pace);
        co_await next.async_wait(use_awaitable);
    }
}

void Daemon::receive(Result<Sample> sampled) {
    const auto now = Clock::now();
    detect_stall(now);
    notifier_.retry();
    counters_.lost_log_lines = lost_log_lines();
    static_cast<CheckCounters&>(counters_) = agent_server_.node().counters(now);
    if (!sampled) return fail_sample(sampled.error().what, now);
    // By the configuration before, or from before this process stood still.
    if (sampled->revision != revision_ || now - sampled->counters.at >= fresh_for_) return;
    desk_.pass(now);
    show_word();
    try {
        std::vector<CheckCounters> of_profiles;
        of_profiles.reserve(ports_.profiles().size());
        for (const auto& profile : ports_.profiles())
            of_profiles.push_back(profile.responder->counters(now));
        publisher_.publish(
            assessor_.assess(std::move(sampled).value(), poller_.state(), counters_, of_profiles));
    } catch (const std::bad_alloc&) {
        return fail_sample("no memory", now);
    }
    last_sample_ = now;
    if (std::exchange(sampling_fails_, false)) spdlog::info("sampling works again");
}

void Daemon::show_word() {
    publisher_.set_word(desk_.word(), desk_.awaiting_ready());
    assessor_.set_out(desk_.word().word != Word::ready);
}

/// Checks hear a drain at once. `ready` comes with the next sample, of which its weight is made.
void Daemon::obey_operator() {
    show_word();
    if (desk_.word().word != Word::ready) publisher_.publish_aged(counters_, Clock::now());
}

void Daemon::fail_sample(std::string_view why, Clock::time_point now) try {
    ++counters_.sample_failures;
    if (!std::exchange(sampling_fails_, true))
        spdlog::error("sampling fails, the last verdict holds for {}: {}",
                      duration_text(config_.stale_after), why);
    publisher_.publish_aged(counters_, now);
} catch (const std::bad_alloc&) {
    return;  // the next turn tries again; until then checks wait once the last snapshot is too old
}

/// While this process was stopped it asked nobody: that time does not make the counts of WCS stale.
/// True: it was.
bool Daemon::detect_stall(Clock::time_point now) {
    const auto pause = now - std::exchange(last_turn_, now);
    if (pause < fresh_for_) return false;
    spdlog::warn("this process did not run for {:.1f} s", Seconds(pause).count());
    poller_.extend_freshness(pause);
    return true;
}

asio::awaitable<void> Daemon::handle_signals() {
    for (;;) {
        const int signal = co_await signals_.async_wait(use_awaitable);
        if (signal != SIGHUP) {
            co_await stop();
            co_return;
        }
        ask_for_reload();
    }
}

void Daemon::ask_for_reload() {
    is_reload_asked_ = true;
    reload_.cancel();
}

/// Beside the signals, as a check of the new configuration may have to wait for the kernel.
asio::awaitable<void> Daemon::reload_when_asked() {
    for (;;) {
        while (std::exchange(is_reload_asked_, false)) {
            notifier_.reloading(Clock::now());
            ++begun_reloads_;
            reload_fault_ = co_await reload();
            ended_reloads_ = begun_reloads_;
            ++(reload_fault_.empty() ? counters_.reloads : counters_.failed_reloads);
            publisher_.set_reload_fault(reload_fault_);
            notifier_.ready();
            reload_ended_.cancel();
        }
        reload_.expires_at(asio::steady_timer::time_point::max());
        co_await reload_.async_wait(use_tuple);
    }
}

/// One that is under way may have read the file already, so it is the next one that counts.
asio::awaitable<std::string> Daemon::reload_now() {
    const auto wanted = begun_reloads_ + 1;
    ask_for_reload();
    while (ended_reloads_ < wanted) {
        reload_ended_.expires_at(asio::steady_timer::time_point::max());
        co_await reload_ended_.async_wait(use_tuple);
    }
    co_return reload_fault_;
}

/// All or nothing: a file with an error or a port that cannot be had leaves everything as it was.
/// Returns what was wrong, or nothing.
asio::awaitable<std::string> Daemon::reload() {
    try {
        const InUse in_use{http_server_.web(), poller_.settings().trust};
        auto loaded = load(source_, &in_use);
        if (!loaded) co_return log_refusal(loaded.error());
        ports_.impose(loaded->config);
        const auto errors = co_await sampling_.check(loaded->config);
        if (!errors.empty()) co_return log_refusal(errors);
        co_return apply(*std::move(loaded));
    } catch (const std::bad_alloc&) {
        spdlog::error("reload: nothing changed: no memory");
        co_return "no memory";
    }
}

/// Returns why nothing changed; empty: it is done.
std::string Daemon::apply(LoadedConfig loaded) {
    if (const auto listening = ports_.listen(loaded.config); !listening) {
        spdlog::error("reload: nothing changed: {}", listening.error().what);
        return listening.error().what;
    }
    auto changes = changed_settings(config_, loaded.config);
    std::ranges::move(changed_profiles(config_, loaded.config), std::back_inserter(changes));
    const bool has_new_web_file = http_server_.web().stamp != loaded.web.stamp;
    sampling_.configure(loaded.config, ++revision_);
    config_ = std::move(loaded.config);
    poller_.configure(std::move(loaded.wcs));
    http_server_.secure(std::move(loaded.web));
    configure(config_);
    log_reload(changes, has_new_web_file);
    return "";
}

/// The answers that are asked for already go out first.
asio::awaitable<void> Daemon::stop() {
    hold_signals();  // to end twice is to end; a reload has nothing left to change
    spdlog::info("stopping");
    notifier_.stopping();
    agent_server_.stop();
    local_server_.stop();
    co_await http_server_.finish();
    desk_.stop();
    io_.stop();
}

/// Nobody is served any more. For each interface the kernel waits for two RCU grace periods.
void Daemon::end_counting() {
    constexpr auto pace = std::chrono::seconds(2);
    sampling_.end();
    auto due = Clock::now() + pace;
    for (auto left = sampling_.detach_next(); left > 0; left = sampling_.detach_next()) {
        if (Clock::now() < due) continue;
        due = Clock::now() + pace;
        const auto text = fmt::format("stopping: detaching from {} more interfaces", left);
        spdlog::info("{}", text);
        notifier_.status(text);
        notifier_.extend_timeout(5 * pace);
    }
}

}  // namespace wcs_node_agent
