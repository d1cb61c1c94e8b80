// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <cstdint>

namespace wcs_node_agent {

/// The number that names this process's network namespace in the kernel (ns.inum); no other has it
/// at the same time. Source: the inode of /proc/self/ns/net.
Result<std::uint32_t> own_network_namespace();

}  // namespace wcs_node_agent
