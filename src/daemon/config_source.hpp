// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/json.hpp"

#include <filesystem>
#include <optional>

namespace wcs_node_agent {

/// Where the configuration comes from, and comes from again at a reload.
struct ConfigSource {
    std::optional<std::filesystem::path> file;
    Json overrides;
};

}  // namespace wcs_node_agent
