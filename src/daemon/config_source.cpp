// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_source.hpp"

#include <utility>

namespace wcs_node_agent {

Checked<LoadedConfig> load(const ConfigSource& source, const WebConfig* in_use) {
    auto config = load_config(find_config_file(source.file), source.overrides);
    if (!config) return config.error();
    const auto& file = config->web_config_file;
    auto web = in_use ? reload_web_config(file, *in_use) : load_web_config(file);
    if (!web) return web.error();
    return LoadedConfig{*std::move(config), *std::move(web)};
}

}  // namespace wcs_node_agent
