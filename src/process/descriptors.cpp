// SPDX-License-Identifier: Apache-2.0
#include "process/descriptors.hpp"

#include <filesystem>
#include <iterator>
#include <sys/resource.h>
#include <system_error>

namespace wcs_node_agent {

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    return limit.rlim_cur;
}

std::size_t open_descriptors() {
    std::error_code error;
    const std::filesystem::directory_iterator listing("/proc/self/fd", error);
    if (error) return 0;
    return static_cast<std::size_t>(std::distance(begin(listing), end(listing)));
}

}  // namespace wcs_node_agent
