// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>

namespace wcs_node_agent {

/// An error of libnl (NLE_*, of either sign). Compares equal to the std::errc of the same meaning.
std::error_code netlink_error(int error);

}  // namespace wcs_node_agent
