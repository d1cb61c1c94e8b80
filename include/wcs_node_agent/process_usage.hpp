// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace wcs_node_agent {

/// What the agent's own process takes. Absent: the kernel does not say.
struct ProcessUsage {
    std::optional<std::chrono::nanoseconds> cpu_time;  // user and system, of all threads
    std::optional<std::uint64_t> virtual_bytes;
    std::optional<std::uint64_t> resident_bytes;
    std::optional<std::uint64_t> open_descriptors;
    std::optional<std::uint64_t> max_descriptors;
    std::optional<std::chrono::system_clock::time_point> started;
};

}  // namespace wcs_node_agent
