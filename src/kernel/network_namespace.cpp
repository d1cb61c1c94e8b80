// SPDX-License-Identifier: Apache-2.0
#include "kernel/network_namespace.hpp"

#include <cerrno>
#include <sys/stat.h>

namespace wcs_node_agent {

Result<std::uint32_t> own_network_namespace() {
    constexpr const char* file = "/proc/self/ns/net";
    struct stat status {};
    if (::stat(file, &status) != 0) return failure(file, errno);
    return static_cast<std::uint32_t>(status.st_ino);
}

}  // namespace wcs_node_agent
