// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/link.hpp>

#include <cstdint>
#include <optional>

struct nlmsghdr;

namespace wcs_node_agent {

/// The link that an RTM_NEWLINK message describes, without its routes; none for any other message.
std::optional<Link> parse_link(nlmsghdr* message);

/// Which link an RTM_NEWLINK or RTM_DELLINK message is about, as it is now or as one that has gone.
/// None: it reports something else, that a bridge has a port more or less, or what a wireless
/// driver has to say.
std::optional<std::uint32_t> index_of_changed_link(nlmsghdr* message);

}  // namespace wcs_node_agent
