// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/descriptor.hpp>
#include <wcs_node_agent/result.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace wcs_node_agent {

/// A file of /proc that is kept open and read again and again. Where that fails it is opened anew,
/// as something else may be mounted there by then.
class ProcFile {
 public:
    explicit ProcFile(std::filesystem::path path);

    /// The content as it is now; valid until the next read.
    Result<std::string_view> read();

    /// Whether it is the kernel's own, and not another program's that is mounted there.
    bool is_kernels() const { return is_kernels_; }

    const std::filesystem::path& path() const { return path_; }

 private:
    void open();
    Result<std::string_view> read_opened();

    std::filesystem::path path_;
    Descriptor descriptor_;
    bool is_kernels_ = false;
    std::string buffer_;
};

}  // namespace wcs_node_agent
