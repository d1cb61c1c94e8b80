// SPDX-License-Identifier: Apache-2.0
#include "kernel/pin_folder.hpp"

#include "kernel/network_namespace.hpp"

#include <algorithm>
#include <cerrno>
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

Error failed(const fs::path& path) { return failure(path.native(), errno); }

fs::path folder_of(const fs::path& parent, std::uint32_t network_namespace) {
    return parent / fmt::format("net-{}", network_namespace);
}

/// The nearest that exists must be of bpffs.
Result<void> check_bpffs(fs::path path) {
    std::error_code ignored;
    while (!fs::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
    struct statfs status {};
    if (::statfs(path.c_str(), &status) != 0) return failed(path);
    if (static_cast<unsigned long>(status.f_type) == BPF_FS_MAGIC) return {};
    return Error{
        fmt::format("{} is not in a BPF file system: mount -t bpf bpf /sys/fs/bpf", path.native())};
}

}  // namespace

Result<std::optional<PinFolder>> PinFolder::open(const fs::path& parent) {
    const auto network_namespace = own_network_namespace();
    if (!network_namespace) return network_namespace.error();
    const auto path = folder_of(parent, *network_namespace);
    if (const auto fits = check_bpffs(path); !fits) return fits.error();
    for (const auto& folder : {parent, path})
        if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed(folder);
    Descriptor lock(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock) return failed(path);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0)
        return std::optional(PinFolder(path, std::move(lock)));
    if (errno == EWOULDBLOCK) return std::optional<PinFolder>();
    return failed(path);
}

bool PinFolder::exists(const fs::path& parent) {
    const auto network_namespace = own_network_namespace();
    std::error_code ignored;
    return network_namespace && fs::exists(folder_of(parent, *network_namespace), ignored);
}

Result<void> PinFolder::pin(int object, const std::string& name) const {
    const auto path = path_ / name;
    if (bpf_obj_pin(object, path.c_str()) != 0) return failed(path);
    return {};
}

Result<Descriptor> PinFolder::get(const std::string& name) const {
    const auto path = path_ / name;
    Descriptor object(bpf_obj_get(path.c_str()));
    if (!object) return failed(path);
    return object;
}

Result<void> PinFolder::note(const std::string& name, const std::string& text) const {
    remove(name);
    std::error_code error;
    fs::create_symlink(text, path_ / name, error);
    if (error) return failure((path_ / name).native(), error);
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
    if (::chown(path_.parent_path().c_str(), user, group) != 0) return failed(path_.parent_path());
    if (::chown(path_.c_str(), user, group) != 0) return failed(path_);
    for (const auto& name : names())
        if (::lchown((path_ / name).c_str(), user, group) != 0) return failed(path_ / name);
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
