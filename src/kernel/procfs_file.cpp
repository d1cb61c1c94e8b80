// SPDX-License-Identifier: Apache-2.0
#include "kernel/procfs_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <utility>

namespace wcs_node_agent {

ProcFile::ProcFile(std::filesystem::path path) : path_(std::move(path)) { open(); }

void ProcFile::open() {
    descriptor_ = Descriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct statfs mounted {};
    const bool is_known = descriptor_ && ::fstatfs(descriptor_.get(), &mounted) == 0;
    is_kernels_ = is_known && mounted.f_type == PROC_SUPER_MAGIC;
    has_one_page_ = is_known && mounted.f_type == SYSFS_MAGIC;
}

Result<std::string_view> ProcFile::read_until(Enough enough) {
    if (descriptor_)
        if (auto text = read_opened(enough)) return text;
    open();
    if (!descriptor_) return failure(path_.native(), errno);
    return read_opened(enough);
}

Result<std::string_view> ProcFile::read_opened(Enough enough) {
    constexpr std::size_t step = 4096;
    std::size_t length = 0;
    for (;;) {
        if (buffer_.size() < length + step) buffer_.resize(length + step);
        const auto got =
            ::pread(descriptor_.get(), buffer_.data() + length, step, static_cast<off_t>(length));
        if (got < 0) return failure(path_.native(), errno);
        length += static_cast<std::size_t>(got);
        const auto text = std::string_view(buffer_).substr(0, length);
        if (got == 0 || has_one_page_ || enough(text)) return text;
    }
}

}  // namespace wcs_node_agent
