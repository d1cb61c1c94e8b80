// SPDX-License-Identifier: Apache-2.0
#include "daemon/link_follower.hpp"

#include <wcs_node_agent/clock.hpp>

#include <chrono>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

using asio::use_awaitable;

/// Changes of links or routes within this time are taken together.
constexpr auto settling_time = std::chrono::milliseconds(100);

/// To attach to an interface the kernel waits for two RCU grace periods, with the lock of all
/// interfaces: after it everybody else on the host has as much time for theirs, and samples come in
/// between.
constexpr int pause_factor = 1;

}  // namespace

LinkFollower::LinkFollower(const asio::any_io_executor& executor, Sampler& sampler)
    : sampler_(sampler),
      messages_(executor, ::dup(sampler.link_descriptor())),
      pause_(executor),
      queued_(executor) {}

asio::awaitable<void> LinkFollower::watch() {
    for (;;) {
        co_await messages_.async_wait(asio::posix::stream_descriptor::wait_read, use_awaitable);
        co_await pause_.async_wait(use_awaitable);
        if (!sampler_.links_changed()) continue;
        co_await refresh();
        pause_.expires_after(settling_time);
        queued_.cancel();
    }
}

/// What the kernel did not answer is asked again, whether or not netlink reports more.
asio::awaitable<void> LinkFollower::refresh() {
    for (bool failing = false;; failing = true) {
        const auto refreshed = sampler_.refresh_links();
        if (refreshed && failing) spdlog::info("netlink: the links are known again");
        if (refreshed) co_return;
        if (!failing) spdlog::error("{}; trying again", refreshed.error().what);
        pause_.expires_after(settling_time);
        co_await pause_.async_wait(use_awaitable);
    }
}

asio::awaitable<void> LinkFollower::attach() {
    asio::steady_timer pause(queued_.get_executor());
    for (;;) {
        while (sampler_.has_pending_links()) {
            const auto begun = Clock::now();
            sampler_.attach_next();
            pause.expires_after(pause_factor * (Clock::now() - begun));
            co_await pause.async_wait(use_awaitable);
        }
        queued_.expires_at(asio::steady_timer::time_point::max());
        co_await queued_.async_wait(asio::as_tuple(use_awaitable));
    }
}

}  // namespace wcs_node_agent
