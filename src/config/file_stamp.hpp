// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <compare>
#include <cstdint>
#include <filesystem>

namespace wcs_node_agent {

/// What differs once a file has been replaced or written to.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified = 0;  // its content; ns since 1970, as the next
    std::int64_t changed = 0;   // its content, owner or mode

    auto operator<=>(const FileStamp&) const = default;
};

/// Of the file that the name leads to now. Never waits, whatever that is.
Result<FileStamp> stamp_of(const std::filesystem::path& file);

}  // namespace wcs_node_agent
