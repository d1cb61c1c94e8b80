// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

namespace wcs_node_agent {

/// Whether the kernel stops the tick of an idle CPU, by its command line and the clock in use.
/// Where it does, the columns idle and iowait of /proc/stat are its exact account of when each CPU
/// went idle and came back, cut to USER_HZ; where it does not, they are sampled at the tick, as the
/// others always are. All distributions build it so.
bool idle_columns_are_exact(std::string_view command_line, std::string_view clock_source);

/// The same, of the running kernel. proc, sys: where these are mounted.
bool kernel_keeps_exact_idle_columns(const std::filesystem::path& proc = "/proc",
                                     const std::filesystem::path& sys = "/sys");

}  // namespace wcs_node_agent
