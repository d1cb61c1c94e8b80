// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_source.hpp"

#include <utility>

namespace wcs_node_agent {

Checked<LoadedConfig> load(const ConfigSource& source) {
    auto config = load_config(source.file, source.overrides);
    if (!config) return config.error();
    auto web = load_web_config(config->web_config_file);
    if (!web) return web.error();
    return LoadedConfig{*std::move(config), *std::move(web)};
}

}  // namespace wcs_node_agent
