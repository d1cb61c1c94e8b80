// SPDX-License-Identifier: Apache-2.0
#include "cli/check.hpp"

#include "daemon/sampler.hpp"
#include "process/exit_status.hpp"
#include "wcs/poller.hpp"

#include <ostream>

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

Result<Snapshot> measure(Sampler& sampler, const Config& config) {
    if (auto first = sampler.sample({}, {}); !first) return first.error();
    return sampler.sample(ask_wcs_for(config.sample_interval, wcs_settings(config)), {});
}

}  // namespace

int check_once(const Config& settings, std::ostream& out, std::ostream& err) {
    spdlog::set_level(spdlog::level::off);
    Config config = settings;
    config.window = config.sample_interval;  // one sample is all that it measures
    auto sampler = open_sampler(config);
    if (!sampler) {
        err << sampler.error().what << '\n';
        return exit_failed;
    }
    if (const auto errors = sampler->check(config); !errors.empty()) {
        err << to_string(errors);
        return exit_wrong_usage;
    }
    const auto snapshot = measure(*sampler, config);
    if (!snapshot) {
        err << snapshot.error().what << '\n';
        return exit_failed;
    }
    out << snapshot->agent_reply << std::flush;
    return exit_done;
}

}  // namespace wcs_node_agent
