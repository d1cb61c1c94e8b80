// SPDX-License-Identifier: Apache-2.0
#include "process/user.hpp"

#include <cerrno>
#include <cstdio>
#include <grp.h>
#include <memory>
#include <pwd.h>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

constexpr const char* own_account = "wcs-node-agent";

/// Debian gives 65000 to 65533 to nobody, and systemd's dynamic users end at 65519.
constexpr uid_t nobodys_number = 65'530;

/// From the file alone: a static binary has no name services.
std::optional<User> account(std::string_view name) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/etc/passwd", "re"),
                                                               std::fclose);
    if (!file) return {};
    while (const passwd* entry = ::fgetpwent(file.get()))
        if (entry->pw_name == name) return User{entry->pw_uid, entry->pw_gid, std::string(name)};
    return {};
}

Error cannot(const User& user, const char* step) {
    return failure(fmt::format("cannot become user {}: {}", user.name, step), errno);
}

}  // namespace

Result<std::optional<User>> chosen_user(const std::string& name) {
    if (::geteuid() != 0) return std::optional<User>();
    auto user = agent_account(name);
    if (!user && !name.empty())
        return Error{fmt::format("user: /etc/passwd has no account \"{}\"", name)};
    if (!user) user = User{nobodys_number, nobodys_number, std::to_string(nobodys_number)};
    if (user->uid == 0) return std::optional<User>();
    return user;
}

std::optional<User> agent_account(const std::string& name) {
    return account(name.empty() ? own_account : name);
}

Result<void> become(const User& user) {
    if (::setgroups(0, nullptr) != 0) return cannot(user, "setgroups");
    if (::setresgid(user.gid, user.gid, user.gid) != 0) return cannot(user, "setresgid");
    if (::setresuid(user.uid, user.uid, user.uid) != 0) return cannot(user, "setresuid");
    return {};
}

}  // namespace wcs_node_agent
