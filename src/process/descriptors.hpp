// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace wcs_node_agent {

/// Raises the limit on open descriptors as far as the process may; what it is then.
std::size_t raise_descriptor_limit();

/// How many descriptors this process has open.
std::size_t open_descriptors();

}  // namespace wcs_node_agent
