// SPDX-License-Identifier: Apache-2.0
#include "config/file_stamp.hpp"

#include <cerrno>
#include <sys/stat.h>

namespace wcs_node_agent {

Result<FileStamp> stamp_of(const std::filesystem::path& file) {
    const auto nanoseconds = [](const timespec& time) {
        return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
    };
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return failure(file.string(), errno);
    return FileStamp{.device = status.st_dev,
                     .inode = status.st_ino,
                     .size = status.st_size,
                     .modified = nanoseconds(status.st_mtim),
                     .changed = nanoseconds(status.st_ctim)};
}

}  // namespace wcs_node_agent
