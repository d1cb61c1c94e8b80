// SPDX-License-Identifier: Apache-2.0
#include "daemon/sampling_thread.hpp"

#include "net/use_tuple.hpp"
#include "wcs/poller.hpp"

#include <new>
#include <pthread.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

using asio::use_awaitable;

/// By value: the caller's may be gone when its turn comes.
asio::awaitable<ConfigErrors> check_by(Sampler& sampler, Config config) {
    co_return sampler.check(config);
}

}  // namespace

SamplingThread::SamplingThread(const asio::any_io_executor& serving, Sampler sampler)
    : serving_(serving), sampler_(std::move(sampler)) {}

void SamplingThread::start(const Config& config, Receive receive,
                           std::function<void(std::exception_ptr)> fail) {
    receive_ = std::move(receive);
    fail_ = std::move(fail);
    interval_ = config.sample_interval;
    if (config.follow_interfaces) {
        start(links_.watch());
        start(links_.attach());
    }
    start(sample_repeatedly());
    thread_ = std::thread([this] { run(); });
}

void SamplingThread::run() {
    ::pthread_setname_np(::pthread_self(), "wcs-sampling");
    io_.run();
}

/// A task that ends by an exception ends them all: half of them would answer with old figures for
/// ever.
void SamplingThread::start(asio::awaitable<void> task) {
    asio::co_spawn(io_, std::move(task), [this](const std::exception_ptr& unhandled) {
        if (!unhandled) return;
        io_.stop();
        asio::post(serving_, [this, unhandled] { fail_(unhandled); });
    });
}

asio::awaitable<ConfigErrors> SamplingThread::check(const Config& config) {
    return asio::co_spawn(io_, check_by(sampler_, config), use_awaitable);
}

void SamplingThread::configure(const Config& config, std::uint64_t revision) {
    asio::post(io_, [this, config, revision] {
        interval_ = config.sample_interval;
        sampler_.configure(config, revision);
        next_sample_.cancel();
    });
}

void SamplingThread::end() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
}

asio::awaitable<void> SamplingThread::sample_repeatedly() {
    for (auto due = Clock::now();;) {
        try {
            hand_over(sampler_.sample());
        } catch (const std::bad_alloc&) {
            hand_over(Error{"no memory"});
        }
        // On a grid, so that the times of samples do not drift; what was missed is not made up for.
        next_sample_.expires_at(next_start(due, interval_, Clock::now()));
        const auto [woken] = co_await next_sample_.async_wait(use_tuple);
        due = woken ? Clock::now() : next_sample_.expiry();
    }
}

void SamplingThread::hand_over(Result<Sample> sampled) try {
    {
        const std::lock_guard lock(mutex_);
        sampled_ = std::move(sampled);
    }
    asio::post(serving_, [this] {
        std::unique_lock lock(mutex_);
        auto received = std::exchange(sampled_, std::nullopt);
        lock.unlock();
        if (received) receive_(*std::move(received));
    });
} catch (const std::bad_alloc&) {
    return;  // whoever waits for samples sees that there is none
}

}  // namespace wcs_node_agent
