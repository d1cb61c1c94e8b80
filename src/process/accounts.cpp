// SPDX-License-Identifier: Apache-2.0
#include "process/accounts.hpp"

#include <charconv>
#include <cstdio>
#include <grp.h>
#include <memory>
#include <pwd.h>
#include <string_view>

namespace wcs_node_agent {

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// The first entry that fits, from the one thread that reads accounts; null: none does.
template <class Fits>
const group* find_entry(const File& file, Fits fits) {
    if (!file) return nullptr;
    while (const group* entry = ::fgetgrent(file.get()))
        if (fits(*entry)) return entry;
    return nullptr;
}

File groups() { return {std::fopen("/etc/group", "re"), std::fclose}; }

}  // namespace

std::string user_name(uid_t user) {
    const File file(std::fopen("/etc/passwd", "re"), std::fclose);
    while (const passwd* entry = file ? ::fgetpwent(file.get()) : nullptr)
        if (entry->pw_uid == user) return entry->pw_name;
    return std::to_string(user);
}

std::string group_name(gid_t number) {
    const File file = groups();
    const auto* const found =
        find_entry(file, [&](const group& entry) { return entry.gr_gid == number; });
    return found != nullptr ? found->gr_name : std::to_string(number);
}

std::optional<gid_t> find_group(const std::string& name) {
    const File file = groups();
    if (const auto* const found =
            find_entry(file, [&](const group& entry) { return entry.gr_name == name; }))
        return found->gr_gid;
    gid_t number = 0;
    const auto* const end = name.data() + name.size();
    const auto [read, error] = std::from_chars(name.data(), end, number);
    if (error != std::errc() || read != end) return std::nullopt;
    return number;
}

}  // namespace wcs_node_agent
