// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <cstddef>
#include <filesystem>
#include <string>

namespace wcs_node_agent {

/// The content of a regular file, which may be a symbolic link to one, without ever waiting: a FIFO
/// or a device in its place is an error. So is more than `most` bytes. Errors continue a sentence
/// that begins with the file's name, as "cannot be read: No such file or directory".
Result<std::string> read_regular_file(const std::filesystem::path& file, std::size_t most);

}  // namespace wcs_node_agent
