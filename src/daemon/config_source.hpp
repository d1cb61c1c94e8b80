// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/effective_config.hpp"
#include "config/json.hpp"
#include "config/wcs_trust.hpp"
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

/// The configuration with the web file and the CAs that it names, read and checked.
struct LoadedConfig {
    Config config;
    WebConfig web;
    WcsSettings wcs;
};

/// What is used of the files beside the configuration at a reload, which may not be read any more.
struct InUse {
    const WebConfig& web;
    const TlsTrust& trust;
};

/// All of it, or every error of the first of the files that has any: see reload_web_config() and
/// load_wcs_settings().
Checked<LoadedConfig> load(const ConfigSource& source, const InUse* in_use = nullptr);

}  // namespace wcs_node_agent
