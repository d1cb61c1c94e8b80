// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/config_source.hpp"
#include "daemon/link_follower.hpp"
#include "daemon/publisher.hpp"
#include "daemon/sampler.hpp"
#include "haproxy/agent_server.hpp"
#include "haproxy/local_server.hpp"
#include "http/http_server.hpp"
#include "net/current_snapshot.hpp"
#include "process/notify.hpp"
#include "wcs/poller.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <cstddef>
#include <exception>
#include <string_view>
#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

/// Everything that runs, on one thread.
class Daemon {
 public:
    Daemon(ConfigSource source, LoadedConfig loaded, Sampler sampler);

    /// Divides so many descriptors among the ports' connections, before listen().
    void limit_connections(std::size_t descriptors);

    /// Opens the ports.
    Result<void> listen();

    /// The ports become those of the user as whom this will go on.
    void give_to(uid_t user, gid_t group);

    /// Serves until SIGTERM or SIGINT. Throws what nothing below it handled.
    void serve();

 private:
    void start(asio::awaitable<void> task);
    asio::awaitable<void> sample_repeatedly();
    asio::awaitable<void> feed_watchdog();
    asio::awaitable<void> handle_signals();

    bool sample();
    void fail_sample(std::string_view why, Clock::time_point now);
    void detect_stall(std::chrono::nanoseconds late);
    bool reload();
    Result<void> listen(const Config& config);
    void configure(const Config& config);
    void stop();

    ConfigSource source_;
    Config config_;
    asio::io_context io_{1};
    AgentCounters counters_;
    CurrentSnapshot current_{io_.get_executor()};
    AgentServer agent_server_{io_.get_executor(), current_, counters_};
    HttpServer http_server_{io_.get_executor(), current_, counters_};
    LocalServer local_server_{io_.get_executor(), current_};
    SystemdNotifier notifier_;
    Publisher publisher_{current_, notifier_};
    Sampler sampler_;
    LinkFollower links_{io_.get_executor(), sampler_};
    WcsPoller poller_;
    asio::signal_set signals_{io_};
    asio::steady_timer next_sample_{io_};
    std::chrono::nanoseconds fresh_for_{};          // the age up to which a sample is fresh
    Clock::time_point last_sample_ = Clock::now();  // that succeeded
    bool sampling_fails_ = false;
    std::exception_ptr unhandled_;
};

}  // namespace wcs_node_agent
