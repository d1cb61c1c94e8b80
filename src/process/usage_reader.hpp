// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/procfs_file.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/process_usage.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wcs_node_agent {

/// Of /proc/PID/stat: when the process started, since the system did, in clock ticks. None: the
/// text is no such line.
std::optional<std::uint64_t> parse_start_ticks(std::string_view stat);

/// Reads what this process takes, once a second, however often it is asked for. No directory is
/// listed where the kernel says how many entries it has (Linux 6.2 and later).
class UsageReader {
 public:
    UsageReader();

    /// As it was when last read.
    const ProcessUsage& read(Clock::time_point now);

 private:
    ProcessUsage read_now();

    ProcFile statm_;
    std::optional<std::chrono::system_clock::time_point> started_;
    ProcessUsage usage_;
    Clock::time_point read_at_ = Clock::time_point::min();
};

}  // namespace wcs_node_agent
