// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/limits.hpp>
#include <wcs_node_agent/link.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace wcs_node_agent {

/// In Mbit/s, by the index of the interface. One whose speed is not known is not there.
using LinkSpeeds = std::map<std::uint32_t, std::uint32_t>;

/// What the selected interfaces can carry together.
struct Capacity {
    std::optional<double> megabits;  // Mbit/s; none where nothing is selected or a speed lacks
    std::vector<std::uint32_t> speedless;  // selected and at work, but of no known speed; ascending

    bool operator==(const Capacity&) const = default;
};

/// The interfaces whose speeds make up the capacity: the selected ones, and the bonds and teams
/// that they are ports of. Ascending.
std::vector<std::uint32_t> speeds_wanted(std::span<const Link> links,
                                         std::span<const std::uint32_t> selected);

/// The sum of the selected interfaces' speeds; ports of a bond or team count no more than it
/// reports itself. A card that has never had a carrier adds nothing. selected: indexes, ascending.
Capacity capacity_of(std::span<const Link> links, std::span<const std::uint32_t> selected,
                     const LinkSpeeds& speeds);

bool has_share(const Limits& limits);

/// The maximum in the limit's own unit. capacity: in Mbit/s; without it a share is no limit.
std::optional<double> effective_maximum(const Limit& limit, std::optional<double> capacity);

}  // namespace wcs_node_agent
