// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <chrono>
#include <string_view>

namespace wcs_node_agent {

/// What a time namespace adds to the host's CLOCK_MONOTONIC, which bpf_ktime_get_ns() reads, to
/// make its own, which Clock reads. offsets: as in /proc/self/timens_offsets; without such a line
/// 0.
std::chrono::nanoseconds parse_monotonic_offset(std::string_view offsets);

/// That of this process's time namespace, which it keeps for life; 0 before Linux 5.6, which has
/// none.
Result<std::chrono::nanoseconds> own_monotonic_offset();

}  // namespace wcs_node_agent
