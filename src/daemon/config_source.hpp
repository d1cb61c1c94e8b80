// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/effective_config.hpp"
#include "config/json.hpp"
#include "http/auth/web_config.hpp"

#include <wcs_node_agent/config.hpp>

#include <filesystem>
#include <optional>

namespace wcs_node_agent {

/// Where the configuration comes from, and comes from again at a reload.
struct ConfigSource {
    std::optional<std::filesystem::path> file;  // none: the default one, whenever it is there
    Json overrides;
};

/// The configuration with the web file that it names, read and checked.
struct LoadedConfig {
    Config config;
    WebConfig web;
};

/// All of it, or every error of the first of both files that has any. `in_use` is the web file's
/// content that is used now, if something is: see reload_web_config().
Checked<LoadedConfig> load(const ConfigSource& source, const WebConfig* in_use = nullptr);

}  // namespace wcs_node_agent
