// SPDX-License-Identifier: Apache-2.0
#include "kernel/pin_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>

#include <bpf/bpf.h>
#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

namespace fs = std::filesystem;

Error failure(const fs::path& path, int error) {
    return Error{fmt::format("{}: {}", path.native(), std::strerror(error))};
}

/// The number that names this process's network namespace; no other has it at the same time.
ino_t own_network_namespace() {
    struct stat status {};
    ::stat("/proc/self/ns/net", &status);  // 0 where there is no /proc: then there is one namespace
    return status.st_ino;
}

fs::path folder_of_namespace(const fs::path& parent) {
    return parent / fmt::format("net-{}", own_network_namespace());
}

/// The nearest that exists must be of bpffs.
Result<void> check_bpffs(fs::path path) {
    std::error_code ignored;
    while (!fs::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
    struct statfs status {};
    if (::statfs(path.c_str(), &status) != 0) return failure(path, errno);
    if (static_cast<unsigned long>(status.f_type) == BPF_FS_MAGIC) return {};
    return Error{
        fmt::format("{} is not in a BPF file system: mount -t bpf bpf /sys/fs/bpf", path.native())};
}

}  // namespace

Result<std::optional<PinFolder>> PinFolder::open(const fs::path& parent) {
    const auto path = folder_of_namespace(parent);
    if (const auto fits = check_bpffs(path); !fits) return fits.error();
    for (const auto& folder : {parent, path})
        if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failure(folder, errno);
    Descriptor lock(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock) return failure(path, errno);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0)
        return std::optional(PinFolder(path, std::move(lock)));
    if (errno == EWOULDBLOCK) return std::optional<PinFolder>();
    return failure(path, errno);
}

bool PinFolder::exists(const fs::path& parent) {
    std::error_code ignored;
    return fs::exists(folder_of_namespace(parent), ignored);
}

Result<void> PinFolder::pin(int object, const std::string& name) const {
    const auto path = path_ / name;
    if (bpf_obj_pin(object, path.c_str()) != 0) return failure(path, errno);
    return {};
}

Result<Descriptor> PinFolder::get(const std::string& name) const {
    const auto path = path_ / name;
    Descriptor object(bpf_obj_get(path.c_str()));
    if (!object) return failure(path, errno);
    return object;
}

Result<void> PinFolder::note(const std::string& name, const std::string& text) const {
    remove(name);
    std::error_code error;
    fs::create_symlink(text, path_ / name, error);
    if (error) return failure(path_ / name, error.value());
    return {};
}

std::optional<std::string> PinFolder::noted(const std::string& name) const {
    std::error_code error;
    const auto text = fs::read_symlink(path_ / name, error);
    return error ? std::nullopt : std::optional(text.native());
}

void PinFolder::remove(const std::string& name) const {
    std::error_code ignored;
    fs::remove(path_ / name, ignored);
}

Result<void> PinFolder::give_to(uid_t user, gid_t group) const {
    if (::chown(path_.parent_path().c_str(), user, group) != 0)
        return failure(path_.parent_path(), errno);
    if (::chown(path_.c_str(), user, group) != 0) return failure(path_, errno);
    for (const auto& name : names())
        if (::lchown((path_ / name).c_str(), user, group) != 0) return failure(path_ / name, errno);
    return {};
}

std::vector<std::string> PinFolder::names() const {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(path_, error))
        names.push_back(entry.path().filename().native());
    std::ranges::sort(names);
    return names;
}

std::size_t PinFolder::clear() const {
    const auto all = names();
    for (const auto& name : all) remove(name);
    std::error_code ignored;
    fs::remove(path_, ignored);
    fs::remove(path_.parent_path(), ignored);  // unless other namespaces have something there
    return all.size();
}

}  // namespace wcs_node_agent
