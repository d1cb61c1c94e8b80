// SPDX-License-Identifier: Apache-2.0
#include "kernel/busy_times.hpp"

#include "kernel/traffic_sources.hpp"

#include <wcs_node_agent/clock.hpp>

#include <algorithm>
#include <atomic>

namespace wcs_node_agent {

void BusyTimes::read(std::span<CpuCounters> online) {
    for (auto& cpu : online) {
        if (cpu.cpu >= times_.size()) continue;
        const auto busy = read_whole(times_[cpu.cpu].busy);
        // After the load: never before its start.
        const auto now = Clock::now().time_since_epoch() - monotonic_offset_;
        // The interval that is still open counts too. It may have ended since the load: by the time
        // of the next reading the difference is gone, but until then the sum must not go back.
        const auto total = std::chrono::nanoseconds(busy) + (busy < 0 ? now : now.zero());
        cpu.busy = last_[cpu.cpu] = std::max(last_[cpu.cpu], total);
    }
}

void BusyTimes::close_intervals_of_offline(std::span<const unsigned> present,
                                           std::span<const CpuCounters> online) {
    for (const auto cpu : present) {
        if (std::ranges::binary_search(online, cpu, {}, &CpuCounters::cpu)) continue;
        std::atomic_ref word(times_[cpu].busy);
        if (word.load(std::memory_order_relaxed) < 0)
            word.store(last_[cpu].count(), std::memory_order_relaxed);
    }
}

}  // namespace wcs_node_agent
