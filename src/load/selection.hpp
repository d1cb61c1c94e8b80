// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/link.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace wcs_node_agent {

/// The interfaces that the bandwidth limits see, as indexes in the order of links. With globs (as
/// of a shell): those whose name matches one; without: those of the default routes, or else every
/// physical one. Never loopback. Empty: there is none, and bandwidth is unknown.
std::vector<std::uint32_t> choose_interfaces(std::span<const Link> links,
                                             std::span<const std::string> globs);

}  // namespace wcs_node_agent
