// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

namespace wcs_node_agent {

/// The account that a process runs as.
struct User {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string name;  // or the number
};

/// The user that a process of root's is to become: the account named, or if none is, the account
/// wcs-node-agent, or where there is none a uid that no account has. None: the process stays who it
/// is, as only root can change. The error: there is no such account.
Result<std::optional<User>> chosen_user(const std::string& name);

/// The account that an agent with this setting runs as, or wcs-node-agent if none is named. None:
/// there is no such account.
std::optional<User> agent_account(const std::string& name);

/// What keeps this process, which is root's, from becoming that user: root of a container or of a
/// user namespace may have too few privileges or users. Empty: nothing does.
std::string why_not_become(const User& user);

/// The chosen user, if this process can become it. One that is not named is then done without,
/// which is logged; to one that is named it is an error.
Result<std::optional<User>> user_to_become(const std::string& name);

/// Whether that user could read the file, which only a process with all of its rights and no others
/// knows: a child of this one, which may become that user. True where there can be no child.
bool can_read(const User& user, const std::filesystem::path& file);

/// Becomes that user, with no other group than its own. Not to be undone.
Result<void> become(const User& user);

}  // namespace wcs_node_agent
