// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process/user.hpp"

#include <wcs_node_agent/result.hpp>

#include <optional>

namespace wcs_node_agent {

enum class KeptPrivilege {
    none,
    net_admin,  // CAP_NET_ADMIN: clsact filters need it for each interface that appears
};

/// Gives up every capability but the one kept, in every set that can be changed, and all ways to
/// gain one by exec, and becomes the user if one is given. For the calling thread and those that it
/// starts later, so to be called before there is a second. Not to be undone.
Result<void> drop_privileges(KeptPrivilege kept, const std::optional<User>& user = {});

/// Whether this thread may use a capability, CAP_*, now.
bool has_capability(int capability);

}  // namespace wcs_node_agent
