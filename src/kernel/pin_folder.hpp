// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/descriptor.hpp>
#include <wcs_node_agent/result.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace wcs_node_agent {

/// Programs, maps and links that outlive the process, in a folder of bpffs: one for each network
/// namespace, held by one process at a time. Errors name the path and say what to do.
class PinFolder {
 public:
    /// The folder of this network namespace below `parent`, which is made if need be. None: another
    /// process holds it.
    static Result<std::optional<PinFolder>> open(const std::filesystem::path& parent);

    /// Whether it is there already.
    static bool exists(const std::filesystem::path& parent);

    const std::filesystem::path& path() const { return path_; }

    Result<void> pin(int object, const std::string& name) const;
    Result<Descriptor> get(const std::string& name) const;

    /// A few words under a name, which bpffs keeps as a symbolic link. Replaces what is there.
    Result<void> note(const std::string& name, const std::string& text) const;
    std::optional<std::string> noted(const std::string& name) const;

    /// What is there under such a name, if anything is.
    void remove(const std::string& name) const;

    /// Lets a user pin and remove in here, as whom the process will go on.
    Result<void> give_to(uid_t user, gid_t group) const;

    /// Everything that is there, by name, sorted.
    std::vector<std::string> names() const;

    /// Removes all of it and the folder; how many objects there were.
    std::size_t clear() const;

 private:
    PinFolder(std::filesystem::path path, Descriptor lock)
        : path_(std::move(path)), lock_(std::move(lock)) {}

    std::filesystem::path path_;
    Descriptor lock_;
};

}  // namespace wcs_node_agent
