// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/operator_desk.hpp"
#include "daemon/assessor.hpp"
#include "daemon/config_source.hpp"
#include "daemon/publisher.hpp"
#include "daemon/sample.hpp"
#include "daemon/sampler.hpp"
#include "daemon/sampling_thread.hpp"
#include "daemon/serving_ports.hpp"
#include "haproxy/agent_server.hpp"
#include "haproxy/local_server.hpp"
#include "http/http_server.hpp"
#include "load/history.hpp"
#include "net/current_snapshot.hpp"
#include "process/notify.hpp"
#include "wcs/poller.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

/// Everything that runs: the serving thread, on which all of this is, and what it has others do.
class Daemon {
 public:
    Daemon(ConfigSource source, LoadedConfig loaded, Sampler sampler, InheritedPorts inherited);

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
    void fail(std::exception_ptr unhandled);
    asio::awaitable<void> watch_samples();
    asio::awaitable<void> feed_watchdog();
    asio::awaitable<void> handle_signals();
    asio::awaitable<void> reload_when_asked();
    asio::awaitable<std::string> reload();
    asio::awaitable<std::string> reload_now();
    void ask_for_reload();

    void receive(Result<Sample> sampled);
    void fail_sample(std::string_view why, Clock::time_point now);
    bool detect_stall(Clock::time_point now);
    std::string apply(LoadedConfig loaded);
    void configure(const Config& config);
    void show_word();
    void obey_operator();
    asio::awaitable<void> stop();
    void end_counting();

    ConfigSource source_;
    Config config_;
    asio::io_context io_{1};
    AgentCounters counters_;
    CurrentSnapshot current_{io_.get_executor()};
    AgentServer agent_server_{io_.get_executor(), counters_};
    History history_;
    HttpServer http_server_{io_.get_executor(), current_, history_, counters_};
    LocalServer local_server_{io_.get_executor(), agent_server_.node().current()};
    OperatorDesk desk_{io_.get_executor(), agent_server_, current_, [this] { obey_operator(); },
                       [this] { return reload_now(); }};
    SystemdNotifier notifier_;
    ServingPorts ports_;
    Publisher publisher_{current_, agent_server_.node().current(), history_, notifier_};
    Assessor assessor_;
    WcsPoller poller_;
    asio::signal_set signals_{io_};
    asio::steady_timer reload_{io_};  // never expires: a SIGHUP cancels it
    bool is_reload_asked_ = false;
    std::uint64_t begun_reloads_ = 0;
    std::uint64_t ended_reloads_ = 0;
    std::string reload_fault_;                      // of the last one that ended; empty: none
    asio::steady_timer reload_ended_{io_};          // never expires: each end cancels it
    std::uint64_t revision_ = 0;                    // of the configuration
    std::chrono::nanoseconds fresh_for_{};          // the age up to which a sample is fresh
    Clock::time_point last_sample_ = Clock::now();  // that succeeded
    Clock::time_point last_turn_ = Clock::now();    // of detect_stall()
    bool sampling_fails_ = false;
    std::exception_ptr unhandled_;
    SamplingThread sampling_;
};

}  // namespace wcs_node_agent
