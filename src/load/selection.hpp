// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/link.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace wcs_node_agent {

/// An interface that is not summed, since its frames cross another one that is.
struct LeftOut {
    std::uint32_t index = 0;
    std::uint32_t counted_on = 0;

    bool operator==(const LeftOut&) const = default;
};

/// The interfaces that are included in the bandwidth limits, by index. Empty: there is none, and
/// bandwidth is unknown.
struct Selection {
    std::vector<std::uint32_t> selected;  // ascending
    std::vector<LeftOut> left_out;        // ascending

    bool operator==(const Selection&) const = default;
};

/// With globs (as of a shell): the interfaces whose name matches one. Without: where the frames of
/// the default routes meet the wire, which is on the lowest devices below them, or else every
/// physical interface. Of two that stand one above the other only the lower stays, so that no frame
/// is summed twice. Never loopback.
Selection select_interfaces(std::span<const Link> links, std::span<const std::string> globs);

}  // namespace wcs_node_agent
