// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/fault.hpp"
#include "serve/web_gate.hpp"

#include <filesystem>
#include <optional>
#include <string_view>

namespace wcs_node_agent {

/// What a web file says, before the files that it names are read.
struct WebFile {
    std::optional<TlsSettings> tls;
    std::vector<std::pair<std::string, std::string>> headers;
    Users users;
};

/// YAML as Prometheus' exporter-toolkit has it. The faults' places are `FILE:LINE:COLUMN`. Relative
/// paths start at the file's folder.
Checked<WebFile> parse_web_config(std::string_view text, const std::filesystem::path& file);

/// The web file and those that it names, ready to be used, or all their faults. No file: plain HTTP
/// for everybody.
Checked<WebConfig> load_web_config(const std::filesystem::path& file);

}  // namespace wcs_node_agent
