// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_source.hpp"

#include <utility>

namespace wcs_node_agent {

Checked<LoadedConfig> load(const ConfigSource& source, const InUse* in_use) {
    auto config = load_config(find_config_file(source.file), source.overrides);
    if (!config) return config.error();
    const auto& file = config->web_config_file;
    auto web = in_use ? reload_web_config(file, in_use->web) : load_web_config(file);
    if (!web) return web.error();
    auto wcs = load_wcs_settings(*config, in_use ? &in_use->trust : nullptr);
    if (!wcs) return wcs.error();
    return LoadedConfig{*std::move(config), *std::move(web), *std::move(wcs)};
}

}  // namespace wcs_node_agent
