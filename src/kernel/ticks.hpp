// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace wcs_node_agent {

/// The kernel's tick, which one of its build options (CONFIG_HZ) sets: 1 to 10 ms.
std::chrono::nanoseconds tick_length();

/// How far the kernel's count of ticks (jiffies) has come, by times(2): at least so far, and at
/// most ticks_coarseness beyond. None where a system call filter forbids to ask.
std::optional<std::uint64_t> ticks_so_far();

inline constexpr std::chrono::nanoseconds ticks_coarseness = std::chrono::milliseconds(10);

/// The first count of ticks that times(2) reports as so many hundredths of a second.
constexpr std::uint64_t first_tick(std::uint64_t hundredths, std::chrono::nanoseconds tick) {
    const auto length = static_cast<std::uint64_t>(tick.count());
    return (hundredths * static_cast<std::uint64_t>(ticks_coarseness.count()) + length - 1) /
           length;
}

}  // namespace wcs_node_agent
