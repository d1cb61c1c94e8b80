// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/descriptor.hpp>
#include <wcs_node_agent/result.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace wcs_node_agent {

/// A file of /proc or /sys that is kept open and read again and again. Where that fails it is
/// opened anew, as something else may be mounted there by then.
class ProcFile {
 public:
    explicit ProcFile(std::filesystem::path path);

    /// The content as it is now; valid until the next read.
    Result<std::string_view> read() {
        return read_until([](std::string_view) { return false; });
    }

    /// The same, but no further than to where this is true of what was read, page by page.
    using Enough = bool (*)(std::string_view beginning);
    Result<std::string_view> read_until(Enough enough);

    /// Whether it is the kernel's own, and not another program's that is mounted there.
    bool is_kernels() const { return is_kernels_; }

    const std::filesystem::path& path() const { return path_; }

 private:
    void open();
    Result<std::string_view> read_opened(Enough enough);

    std::filesystem::path path_;
    Descriptor descriptor_;
    bool is_kernels_ = false;
    bool has_one_page_ = false;  // at most, as all attributes of sysfs
    std::string buffer_;
};

}  // namespace wcs_node_agent
