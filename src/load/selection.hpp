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

/// Why interfaces are selected, all for the same reason.
enum class SelectedBy {
    name,      // as configured
    route,     // packets for the internet leave through them, or through what stands on them
    physical,  // there is no such route
};

/// The interfaces that are included in the bandwidth limits, by index. Empty: there is none, and
/// bandwidth is unknown.
struct Selection {
    std::vector<std::uint32_t> selected = {};  // ascending
    std::vector<LeftOut> left_out = {};        // ascending
    std::vector<std::string> unmatched = {};   // configured plain names that no interface has
    SelectedBy reason = SelectedBy::name;

    bool operator==(const Selection&) const = default;
};

/// Whether a glob (as of a shell) is a name and matches nothing else.
bool is_plain_name(const std::string& glob);

/// With globs: the interfaces of which a name, the first or an alternative one, matches one.
/// Without: where packets for the internet meet the wire, which is on the lowest devices below
/// their routes, or else every physical interface. Of two that stand one above the other only the
/// lower stays, so that no frame is summed twice. Never loopback.
Selection select_interfaces(std::span<const Link> links, std::span<const std::string> globs);

}  // namespace wcs_node_agent
