// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon.hpp"

#include "config/effective_config.hpp"
#include "config/value_text.hpp"
#include "daemon/connection_budget.hpp"
#include "haproxy/agent_reply.hpp"
#include "http/auth/web_config.hpp"
#include "process/descriptors.hpp"

#include <algorithm>
#include <csignal>
#include <limits>
#include <new>
#include <sstream>
#include <unistd.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

using asio::use_awaitable;

/// So many changes of links or routes as come within this time are one.
constexpr auto link_settling_time = std::chrono::milliseconds(100);

/// To begin counting on an interface the kernel waits for two RCU grace periods, and this thread
/// with it. A pause of so many times as long follows, so that of many new interfaces no more than a
/// quarter of the thread's time goes there, and a check waits for one of them at most.
constexpr int following_pause = 3;

/// Older than so many intervals a sample is not fresh, but at least this long: a busy node may be
/// late.
constexpr int fresh_intervals = 4;
constexpr std::chrono::nanoseconds fresh_at_least = std::chrono::seconds(2);

/// A node that has just started is not kept waiting for WCS longer than this, whatever stale_after:
/// service managers give up, and so do the connections that wait.
constexpr std::chrono::nanoseconds longest_start = std::chrono::seconds(20);

std::string texts(const std::vector<tcp::endpoint>& endpoints) {
    std::ostringstream all;
    for (const auto& endpoint : endpoints) all << (all.tellp() > 0 ? ", " : "") << endpoint;
    return all.str();
}

}  // namespace

Daemon::Daemon(ConfigSource source, Config config, Sampler sampler)
    : source_(std::move(source)),
      config_(std::move(config)),
      sampler_(std::move(sampler)),
      poller_(io_.get_executor(), wcs_settings(config_)) {
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
    http_server_.give_to(user, group);
}

Result<void> Daemon::listen() {
    if (auto done = listen(config_); !done) return done;
    spdlog::info("answering HAProxy on {}, HTTP on {}", texts(agent_server_.endpoints()),
                 texts(http_server_.endpoints()));
    return {};
}

/// Both servers' ports, or neither's.
Result<void> Daemon::listen(const Config& config) {
    const auto before = config_.agent_listen;
    if (auto done = agent_server_.listen(config.agent_listen); !done) return done;
    if (auto done = http_server_.listen(config.metrics_listen); !done) {
        if (auto undone = agent_server_.listen(before); !undone) spdlog::error(undone.error().what);
        return done;
    }
    return {};
}

void Daemon::configure(const Config& config) {
    spdlog::set_level(spdlog::level::from_str(config.log_level));
    agent_server_.allow(config.allow);
    http_server_.allow(config.metrics_allow);
    freshness_ = {.fresh_for = std::max(fresh_intervals * config.sample_interval, fresh_at_least),
                  .stale_after = config.stale_after,
                  .when_stale = config.when_stale};
    http_server_.fresh_for(freshness_.fresh_for);
    agent_server_.renew_after(freshness_.fresh_for, [this] { catch_up(); });
    sampler_.configure(config);
    if (config.peaks && !std::exchange(measuring_peaks_, true)) start(measure_peaks());
}

void Daemon::serve() {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
    start(obey_signals());
    start(poller_.run());
    if (config_.follow_interfaces) start(follow_links());
    start(sample_repeatedly());
    io_.run();
    if (unforeseen_) std::rethrow_exception(unforeseen_);
}

/// A task that ends by an exception ends the daemon: half of one would answer with old figures for
/// ever.
void Daemon::start(asio::awaitable<void> task) {
    asio::co_spawn(io_, std::move(task), [this](std::exception_ptr unforeseen) {
        if (!unforeseen) return;
        unforeseen_ = std::move(unforeseen);
        io_.stop();
    });
}

asio::awaitable<void> Daemon::sample_repeatedly() {
    const auto watchdog = watchdog_interval();
    auto watchdog_due = Clock::now();
    next_sample_.expires_at(Clock::now());
    for (;;) {
        const bool sampled = sample();
        if (sampled && watchdog && Clock::now() >= watchdog_due) {
            notifier_.watchdog();
            watchdog_due = Clock::now() + *watchdog / 2 - config_.sample_interval;
        }
        // On a grid, so that the times of samples do not drift; what was missed is not made up for.
        next_sample_.expires_at(
            next_start(next_sample_.expiry(), config_.sample_interval, Clock::now()));
        co_await next_sample_.async_wait(use_awaitable);
    }
}

/// False: there is no new sample.
bool Daemon::sample() try {
    const auto now = Clock::now();
    notice_pause(now);
    auto sampled = sampler_.sample(poller_.state(), counters_);
    if (!sampled) {
        tell_failure(sampled.error().what);
        publish_aged(now);
        return false;
    }
    if (current_.get() || is_first_answer_due(*sampled)) publish(std::move(sampled).value());
    if (std::exchange(sampling_fails_, false)) spdlog::info("sampling works again");
    return true;
} catch (const std::bad_alloc&) {
    tell_failure("no memory");
    return false;
}

/// For a check that comes before the sampler's turn, after a pause. Where sampling was tried and
/// failed, a check does not try again: what it costs would depend on who asks how often.
void Daemon::catch_up() {
    if (Clock::now() - last_try_ >= freshness_.fresh_for) sample();
}

void Daemon::tell_failure(std::string_view why) {
    ++counters_.sample_failures;
    if (std::exchange(sampling_fails_, true)) return;
    spdlog::error("sampling fails, the last verdict holds for {}: {}",
                  duration_text(freshness_.stale_after), why);
}

/// While this process was stopped it asked nobody: that time does not make the counts of WCS stale.
void Daemon::notice_pause(Clock::time_point now) {
    const auto pause = now - std::exchange(last_try_, now);
    if (pause < freshness_.fresh_for) return;
    spdlog::warn("this process did not run for {:.1f} s", Seconds(pause).count());
    poller_.excuse(pause);
}

void Daemon::publish(Snapshot snapshot) {
    last_verdict_ = snapshot.verdict;
    snapshot.agent_reply = agent_reply(snapshot.verdict);
    tell_change(snapshot);
    const bool first = !current_.get();
    current_.publish(std::make_shared<const Snapshot>(std::move(snapshot)));
    if (first) notifier_.ready();
}

/// The figures stay, with their age; the verdict is told as what it is worth by now.
void Daemon::publish_aged(Clock::time_point now) {
    const auto last = current_.get();
    if (!last || now - last->at < freshness_.fresh_for) return;
    Snapshot snapshot = *last;
    snapshot.verdict = aged(last_verdict_, now - last->at, freshness_);
    snapshot.agent = counters_;
    snapshot.agent_reply = agent_reply(snapshot.verdict);
    tell_change(snapshot);
    current_.publish(std::make_shared<const Snapshot>(std::move(snapshot)));
}

/// The first answer waits for a second reading, as one gives no rates, and for the counts of WCS:
/// they are as good as lost only after the time for which they would hold.
bool Daemon::is_first_answer_due(const Snapshot& snapshot) const {
    const auto patience = std::min(freshness_.stale_after, longest_start);
    const auto needs_wcs = [&](Limit limit) {
        return is_wcs_count(limit) && snapshot.verdict.readings[limit].maximum;
    };
    const bool wcs_known = snapshot.wcs.up() || snapshot.at - snapshot.started >= patience ||
                           std::ranges::none_of(all_limits, needs_wcs);
    return snapshot.rates.cpu_utilisation && wcs_known;
}

void Daemon::tell_change(const Snapshot& snapshot) {
    const auto before = current_.get();
    const auto& verdict = snapshot.verdict;
    if (before && before->verdict.state == verdict.state) return;
    if (verdict.state == NodeState::up)
        spdlog::info("node is up, weight {}%", verdict.weight);
    else
        spdlog::warn("node is {}: {}", to_string(verdict.state), verdict.reason);
    notifier_.status(fmt::format("{} {}", to_string(verdict.state), verdict.reason));
}

/// As long as they are wanted and can be measured.
asio::awaitable<void> Daemon::measure_peaks() {
    next_peak_.expires_at(Clock::now());
    while (config_.peaks && sampler_.measure_peaks()) {
        next_peak_.expires_at(next_start(next_peak_.expiry(), PeakMeter::interval, Clock::now()));
        co_await next_peak_.async_wait(use_awaitable);
    }
    measuring_peaks_ = false;
}

asio::awaitable<void> Daemon::follow_links() {
    asio::posix::stream_descriptor told(io_, ::dup(sampler_.link_descriptor()));
    asio::steady_timer pause(io_);
    auto next_listing = Clock::now();
    bool waiting = true;  // interfaces that are not chosen, at the start
    bool failing = false;
    for (;;) {
        if (waiting) {
            const auto begun = Clock::now();
            waiting = sampler_.follow_next();
            pause.expires_after(following_pause * (Clock::now() - begun));
            co_await pause.async_wait(use_awaitable);
        } else {
            // What could not be listed is tried again, whether or not more is told.
            if (!failing)
                co_await told.async_wait(asio::posix::stream_descriptor::wait_read, use_awaitable);
            pause.expires_at(next_listing);
            co_await pause.async_wait(use_awaitable);
        }
        if (Clock::now() < next_listing || !(sampler_.links_changed() || failing)) continue;
        const auto refreshed = sampler_.refresh_links();
        if (!refreshed && !failing) spdlog::error("{}; trying again", refreshed.error().what);
        if (refreshed && failing) spdlog::info("netlink: the links are known again");
        failing = !refreshed;
        waiting = true;
        next_listing = Clock::now() + link_settling_time;
    }
}

asio::awaitable<void> Daemon::obey_signals() {
    for (;;) {
        const int signal = co_await signals_.async_wait(use_awaitable);
        if (signal != SIGHUP) {
            stop();
            co_return;
        }
        notifier_.reloading(Clock::now());
        try {
            reload();
        } catch (const std::bad_alloc&) {
            spdlog::error("reload: nothing changed: no memory");
        }
        notifier_.ready();
    }
}

/// All or nothing: a faulty file or a port that cannot be had leaves everything as it was.
void Daemon::reload() {
    auto loaded = load_config(source_.file, source_.overrides);
    if (!loaded) {
        for (const auto& fault : loaded.error())
            spdlog::error("reload: nothing changed: {}: {}", fault.where, fault.what);
        return;
    }
    auto web = load_web_config(loaded->web_config_file);
    if (!web) {
        for (const auto& fault : web.error())
            spdlog::error("reload: nothing changed: {}: {}", fault.where, fault.what);
        return;
    }
    if (const auto faults = sampler_.check(*loaded); !faults.empty()) {
        for (const auto& fault : faults)
            spdlog::error("reload: nothing changed: {}: {}", fault.where, fault.what);
        return;
    }
    if (const auto listening = listen(*loaded); !listening) {
        spdlog::error("reload: nothing changed: {}", listening.error().what);
        return;
    }
    if (loaded->source != config_.source)
        spdlog::warn("reload: source takes effect at the next start");
    if (loaded->user != config_.user || loaded->follow_interfaces != config_.follow_interfaces)
        spdlog::warn("reload: user and follow_interfaces take effect at the next start");
    if (loaded->kernel_pin != config_.kernel_pin ||
        loaded->kernel_pin_folder != config_.kernel_pin_folder)
        spdlog::warn("reload: kernel.pin takes effect at the next start");
    config_ = *std::move(loaded);
    poller_.configure(wcs_settings(config_));
    secure(*std::move(web));
    configure(config_);
    spdlog::info("reload: done");
}

void Daemon::stop() {
    spdlog::info("stopping");
    notifier_.stopping();
    agent_server_.stop();
    http_server_.stop();
    io_.stop();
}

}  // namespace wcs_node_agent
