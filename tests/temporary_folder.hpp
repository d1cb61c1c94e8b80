// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>

namespace wcs_node_agent::test {

/// A folder of its own for one test, gone at the end.
class TemporaryFolder {
 public:
    TemporaryFolder() {
        std::string name =
            (std::filesystem::temp_directory_path() / ("wna-" + std::string(6, 'X'))).string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("mkdtemp " + name);
        }
        path_ = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const std::filesystem::path& path() const { return path_; }

    std::filesystem::path write(std::string_view name, std::string_view text) const {
        const auto file = path_ / name;
        std::ofstream(file) << text;
        return file;
    }

 private:
    std::filesystem::path path_;
};

}  // namespace wcs_node_agent::test
