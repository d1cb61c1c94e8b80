// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// The numbers in a list as the kernel writes it, "0-3,8" with a newline, ascending. None: it is
/// not one, or names a CPU beyond the 8192 that Linux can have.
std::optional<std::vector<unsigned>> parse_cpu_list(std::string_view text);

/// Adds a number to a list that has it or not, ascending.
void add_cpu(std::vector<unsigned>& cpus, unsigned cpu);

/// How many elements an array by CPU needs: one more than the highest number of a CPU that this
/// machine can ever have. Numbers may be missing in between. Source: sysfs.
Result<std::size_t> cpu_array_size();

/// The CPUs that are plugged in, whether or not they are online. Source: sysfs.
Result<std::vector<unsigned>> present_cpus();

}  // namespace wcs_node_agent
