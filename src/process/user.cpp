// SPDX-License-Identifier: Apache-2.0
#include "process/user.hpp"

#include "process/privileges.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <grp.h>
#include <linux/capability.h>
#include <memory>
#include <pwd.h>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

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

/// Whether /proc/self/uid_map or gid_map has this id (user_namespaces(7)): first of them here,
/// first of them outside, how many.
bool is_mapped(const char* map, std::uint64_t id) {
    std::ifstream lines(map);
    std::uint64_t here = 0;
    std::uint64_t outside = 0;
    std::uint64_t count = 0;
    while (lines >> here >> outside >> count)
        if (id >= here && id - here < count) return true;
    return false;
}

/// Whether the user namespace lets root give up its groups.
bool may_set_groups() {
    std::string word;
    return !(std::ifstream("/proc/self/setgroups") >> word) || word == "allow";
}

}  // namespace

Result<std::optional<User>> chosen_user(const std::string& name) {
    if (::geteuid() != 0) return std::optional<User>();
    auto user = agent_account(name);
    if (!user && !name.empty())
        return Error{fmt::format("/etc/passwd has no account \"{}\"", name)};
    if (!user) user = User{nobodys_number, nobodys_number, std::to_string(nobodys_number)};
    if (user->uid == 0) return std::optional<User>();
    return user;
}

std::string why_not_become(const User& user) {
    if (!has_capability(CAP_SETUID) || !has_capability(CAP_SETGID))
        return "it has no CAP_SETUID and CAP_SETGID";
    if (!may_set_groups()) return "this user namespace does not let it give up its groups";
    if (!is_mapped("/proc/self/uid_map", user.uid) || !is_mapped("/proc/self/gid_map", user.gid))
        return "this user namespace does not have that user";
    return "";
}

Result<std::optional<User>> user_to_become(const std::string& name) {
    auto user = chosen_user(name);
    if (!user || !*user) return user;
    const auto why = why_not_become(**user);
    if (why.empty()) return user;
    if (!name.empty())
        return Error{fmt::format("this process cannot become \"{}\": {}", name, why)};
    spdlog::warn("this process stays root, without its privileges: it cannot become user {}: {}",
                 (*user)->name, why);
    return std::optional<User>();
}

std::optional<User> agent_account(const std::string& name) {
    return account(name.empty() ? own_account : name);
}

bool can_read(const User& user, const std::filesystem::path& file) {
    const pid_t child = ::fork();
    if (child < 0) return true;
    if (child == 0) ::_exit(become(user) && ::access(file.c_str(), R_OK) == 0 ? 0 : 1);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

Result<void> become(const User& user) {
    if (::setgroups(0, nullptr) != 0) return cannot(user, "setgroups");
    if (::setresgid(user.gid, user.gid, user.gid) != 0) return cannot(user, "setresgid");
    if (::setresuid(user.uid, user.uid, user.uid) != 0) return cannot(user, "setresuid");
    return {};
}

}  // namespace wcs_node_agent
