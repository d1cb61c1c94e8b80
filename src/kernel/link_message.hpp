// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/link.hpp>

#include <optional>

struct nlmsghdr;

namespace wcs_node_agent {

/// The link that an RTM_NEWLINK message describes, without its routes; none for any other message.
std::optional<Link> parse_link(nlmsghdr* message);

}  // namespace wcs_node_agent
