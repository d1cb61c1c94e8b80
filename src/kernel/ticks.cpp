// SPDX-License-Identifier: Apache-2.0
#include "kernel/ticks.hpp"

#include <ctime>
#include <sys/times.h>

namespace wcs_node_agent {

std::chrono::nanoseconds tick_length() {
    timespec resolution{};
    ::clock_getres(CLOCK_MONOTONIC_COARSE, &resolution);  // the clock as it was at the last tick
    return std::chrono::seconds(resolution.tv_sec) + std::chrono::nanoseconds(resolution.tv_nsec);
}

std::optional<std::uint64_t> ticks_so_far() {
    // jiffies * tick / 10 ms, rounded down, whatever the time namespace. Never near 0: jiffies
    // begin five minutes below 2^32.
    const auto hundredths = ::times(nullptr);
    if (hundredths <= 0) return std::nullopt;
    return first_tick(static_cast<std::uint64_t>(hundredths), tick_length());
}

}  // namespace wcs_node_agent
