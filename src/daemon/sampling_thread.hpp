// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "daemon/link_follower.hpp"
#include "daemon/sample.hpp"
#include "daemon/sampler.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

/// The thread on which the agent asks the kernel, which may let it wait for as long as somebody
/// else changes interfaces. It takes a configuration and returns samples, values both, so whoever
/// serves waits for nothing of it.
class SamplingThread {
 public:
    using Receive = std::function<void(Result<Sample>)>;

    /// serving: where receive is called, and what this must not outlive.
    SamplingThread(const asio::any_io_executor& serving, Sampler sampler);

    /// Ends the thread as end() does.
    ~SamplingThread() { end(); }

    /// Starts the thread, with the privileges and the signal mask that the caller has. receive gets
    /// each sample, or why there is none, of samples that it did not get in time the last alone;
    /// fail gets what nothing below has handled: then there will be no more.
    void start(const Config& config, Receive receive, std::function<void(std::exception_ptr)> fail);

    /// See Sampler::check(). Resumes on the caller's executor.
    asio::awaitable<ConfigErrors> check(const Config& config);

    /// The next sample, taken at once, is by this configuration and has this revision.
    void configure(const Config& config, std::uint64_t revision);

    /// Waits for what is under way, after which nothing is sampled or attached to any more.
    void end();

    /// Once ended: detaches from one interface. How many are left.
    std::size_t detach_next() { return sampler_.detach_next(); }

 private:
    void run();
    void start(asio::awaitable<void> task);
    asio::awaitable<void> sample_repeatedly();
    void hand_over(Result<Sample> sampled);

    asio::any_io_executor serving_;
    Receive receive_;
    std::function<void(std::exception_ptr)> fail_;

    asio::io_context io_{1};
    Sampler sampler_;
    LinkFollower links_{io_.get_executor(), sampler_};
    asio::steady_timer next_sample_{io_};
    std::chrono::nanoseconds interval_{};

    std::mutex mutex_;                       // of:
    std::optional<Result<Sample>> sampled_;  // not received yet

    std::thread thread_;
};

}  // namespace wcs_node_agent
