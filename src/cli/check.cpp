// SPDX-License-Identifier: Apache-2.0
#include "cli/check.hpp"

#include "cli/running_agent.hpp"
#include "config/wcs_trust.hpp"
#include "daemon/assessor.hpp"
#include "daemon/sampler.hpp"
#include "process/exit_status.hpp"
#include "process/user.hpp"

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

/// Asks WCS while the time between two readings passes.
WcsState ask_wcs_for(std::chrono::nanoseconds at_least, WcsSettings settings) {
    boost::asio::io_context io(1);
    WcsPoller poller(io.get_executor(), std::move(settings));
    boost::asio::co_spawn(io, poller.fetch_once(), boost::asio::detached);
    boost::asio::steady_timer between(io, at_least);
    between.async_wait([](const boost::system::error_code&) {});
    io.run();
    return poller.state();
}

Result<Sampler> open_sampler(const Config& config) {
    auto probe = open_probe(config.source);
    if (!probe) return probe.error();
    auto links = LinkMonitor::open();
    if (!links) return links.error();
    Sampler sampler(std::move(probe).value(), std::move(links).value(), config);
    if (auto listed = sampler.refresh_links(); !listed) return listed.error();
    sampler.attach_selected();
    return sampler;
}

/// Whether a rate is over its limit so far, which is no evidence before the window is full.
bool may_be_down(const Verdict& verdict) {
    const auto is_over = [](const LimitReading& reading) {
        return is_over_window(reading.held) && reading.utilisation.value_or(0) >= 1;
    };
    return verdict.state == NodeState::up && std::ranges::any_of(verdict.readings, is_over);
}

/// One look says how much room there is. Only where a rate is over its limit then does it take
/// until that is known of the whole window, or it is not any more.
Result<Snapshot> measure(Sampler& sampler, const Config& config, const WcsSettings& settings,
                         Clock::time_point began) {
    Assessor assessor(config);
    const auto first = sampler.sample();
    if (!first) return first.error();
    const auto full = first->counters.at + std::max(config.window, config.window_of_cpu());
    const auto wcs =
        ask_wcs_for(look_length(config.sample_interval, first->counters.at - began), settings);
    for (;;) {
        auto sample = sampler.sample();
        if (!sample) return sample.error();
        auto snapshot = assessor.assess(std::move(sample).value(), wcs, {});
        if (snapshot.at >= full || !may_be_down(snapshot.verdict)) return snapshot;
        std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(
            config.sample_interval, std::max(full - Clock::now(), Clock::duration(1))));
    }
}

/// Whether the folder of the control socket is that user's, and root's doing: systemd gives it to
/// the service's user, whom with DynamicUser= no file of accounts has.
bool has_runtime_folder(uid_t user, const std::filesystem::path& control_socket) {
    const auto folder = control_socket.parent_path();
    struct stat own {};
    struct stat above {};
    if (::stat(folder.c_str(), &own) != 0 || ::stat(folder.parent_path().c_str(), &above) != 0)
        return false;
    return own.st_uid == user && above.st_uid == 0 && (above.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool is_trusted(uid_t user, const Config& config) {
    if (user == 0 || user == ::geteuid() || has_runtime_folder(user, config.control.socket))
        return true;
    const auto account = agent_account(config.user);
    return account && account->uid == user;
}

constexpr auto agent_timeout = std::chrono::seconds(3);

}  // namespace

std::chrono::nanoseconds look_length(std::chrono::nanoseconds interval,
                                     std::chrono::nanoseconds passed) {
    return std::max(interval - passed, interval / 2);
}

int check_once(const Config& settings, bool asked_differently, std::ostream& out,
               std::ostream& err) {
    spdlog::set_level(spdlog::level::off);
    const auto began = Clock::now();
    Config config = settings;
    if (const auto agent = RunningAgent::find()) {
        const auto user = agent->user();
        if (!asked_differently && user && is_trusted(*user, config)) {
            if (const auto reply = agent->reply(agent_timeout)) {
                out << *reply << std::flush;
                return exit_done;
            }
        }
        // No hooks beside an agent's.
        if (config.source == SourceChoice::auto_detect) config.source = SourceChoice::procfs;
    }
    config.stale_after += config.window;  // WCS is asked once
    // Nor does one look know when the node came up, or how many ask.
    config.weight.ramp = {};
    config.weight.maxconn = false;
    const auto wcs = load_wcs_settings(config);
    if (!wcs) {
        err << to_string(wcs.error());
        return exit_wrong_usage;
    }
    auto sampler = open_sampler(config);
    if (!sampler) {
        err << sampler.error().what << '\n';
        return exit_failed;
    }
    if (const auto errors = sampler->check(config); !errors.empty()) {
        err << to_string(errors);
        return exit_wrong_usage;
    }
    const auto snapshot = measure(*sampler, config, *wcs, began);
    if (!snapshot) {
        err << snapshot.error().what << '\n';
        return exit_failed;
    }
    out << snapshot->agent_reply << std::flush;
    return exit_done;
}

}  // namespace wcs_node_agent
