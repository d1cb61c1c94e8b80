// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace wcs_node_agent {

/// The speed of an interface of this network namespace as the kernel reports it, in Mbit/s. None
/// where its driver knows none, or not now: most do not without a carrier. Needs no privilege.
/// Source: ETHTOOL_GLINKSETTINGS.
std::optional<std::uint32_t> link_speed(const std::string& interface);

}  // namespace wcs_node_agent
