// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "config/settings.hpp"

#include <wcs_node_agent/result.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace wcs_node_agent {

/// Used where no other is named and it exists.
inline constexpr std::string_view default_config_file = "/etc/wcs-node-agent/config.json";

/// The file's text. Errors say what the system said; more than 64 KiB is one.
Result<std::string> read_config_file(const std::filesystem::path& file);

/// JSON with comments, onto `config`. The places in the errors begin with `file`: FILE:LINE:COLUMN
/// for what is not JSON, FILE: /key for what is.
ConfigErrors apply_config_text(Config& config, std::string_view text, std::string_view file);

}  // namespace wcs_node_agent
