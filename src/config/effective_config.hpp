// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "config/settings.hpp"

#include <wcs_node_agent/config.hpp>

#include <filesystem>
#include <optional>

namespace wcs_node_agent {

/// The file to read: the one named, or else the default one if there is one. To be decided once, at
/// the start, so that a reload takes a file that has gone for a fault and not for its defaults.
std::optional<std::filesystem::path> find_config_file(
    const std::optional<std::filesystem::path>& named);

/// Sets the command line's values, an object of settings. The errors' places are options.
ConfigErrors apply_overrides(Config& config, const Json& overrides);

/// The defaults, then the file, then the command line; or all the errors of both.
Checked<Config> load_config(const std::optional<std::filesystem::path>& file,
                            const Json& overrides);

}  // namespace wcs_node_agent
