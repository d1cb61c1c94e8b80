// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <pthread.h>
#include <sched.h>
#include <thread>
#include <time.h>

namespace wcs_node_agent {

/// A thread on one CPU that does the same again and again.
class PinnedThread {
 public:
    PinnedThread(unsigned cpu, std::function<void()> work)
        : thread_([this, cpu, work = std::move(work)] {
              cpu_set_t only;
              CPU_ZERO(&only);
              CPU_SET(cpu, &only);
              ::pthread_setaffinity_np(::pthread_self(), sizeof(only), &only);
              while (!stop_.load(std::memory_order_relaxed)) work();
          }) {
        ::pthread_getcpuclockid(thread_.native_handle(), &clock_);
    }
    ~PinnedThread() {
        stop_ = true;
        thread_.join();
    }

    /// Returns once the thread has run for a millisecond.
    void wait_until_it_runs() const {
        while (cpu_time() < std::chrono::milliseconds(1))
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }

    /// What the scheduler charged the thread so far, to the nanosecond.
    std::chrono::nanoseconds cpu_time() const {
        timespec time{};
        ::clock_gettime(clock_, &time);
        return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    }

 private:
    std::atomic<bool> stop_ = false;
    std::thread thread_;
    clockid_t clock_{};
};

}  // namespace wcs_node_agent
