// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace wcs_node_agent {

/// CLOCK_MONOTONIC: the clock that bpf_ktime_get_ns() reads too, untouched by steps of the wall
/// clock.
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

}  // namespace wcs_node_agent
