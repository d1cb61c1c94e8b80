// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

// From /etc/passwd and /etc/group alone, as a static binary has no name services.

namespace wcs_node_agent {

/// The account's name, or its number where it has none.
std::string user_name(uid_t user);
std::string group_name(gid_t number);

/// The group with this name or number. None: no group has the name.
std::optional<gid_t> find_group(const std::string& name);

}  // namespace wcs_node_agent
