// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace wcs_node_agent {

/// The project's version, from CMake.
inline constexpr std::string_view version = WNA_VERSION;

}  // namespace wcs_node_agent
