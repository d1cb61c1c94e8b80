// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/config_source.hpp"
#include "daemon/sampler.hpp"
#include "haproxy/agent_server.hpp"
#include "http/http_server.hpp"
#include "load/freshness.hpp"
#include "net/current_snapshot.hpp"
#include "process/notify.hpp"
#include "wcs/poller.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <cstddef>
#include <exception>
#include <string_view>
#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

/// Everything that runs, on one thread.
class Daemon {
 public:
    Daemon(ConfigSource source, Config config, Sampler sampler);

    /// Divides so many descriptors among the ports' connections, before listen().
    void limit_connections(std::size_t descriptors);

    /// How HTTP is served, before listen().
    void secure(WebConfig web) { http_server_.secure(std::move(web)); }

    /// Opens the ports.
    Result<void> listen();

    /// The ports become those of the user as whom this will go on.
    void give_to(uid_t user, gid_t group);

    /// Serves until SIGTERM or SIGINT. Throws what nobody foresaw.
    void serve();

 private:
    void start(asio::awaitable<void> task);
    asio::awaitable<void> sample_repeatedly();
    asio::awaitable<void> measure_peaks();
    asio::awaitable<void> follow_links();
    asio::awaitable<void> obey_signals();

    bool sample();
    void catch_up();
    void tell_failure(std::string_view why);
    void notice_pause(Clock::time_point now);
    void publish(Snapshot snapshot);
    void publish_aged(Clock::time_point now);
    bool is_first_answer_due(const Snapshot& snapshot) const;
    void tell_change(const Snapshot& snapshot);
    void reload();
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
    Sampler sampler_;
    WcsPoller poller_;
    SystemdNotifier notifier_;
    asio::signal_set signals_{io_};
    asio::steady_timer next_sample_{io_};
    asio::steady_timer next_peak_{io_};
    bool measuring_peaks_ = false;
    Freshness freshness_;
    Clock::time_point last_try_ = Clock::now();  // to sample
    Verdict last_verdict_;                       // of the last sample that succeeded
    bool sampling_fails_ = false;
    std::exception_ptr unforeseen_;
};

}  // namespace wcs_node_agent
