// SPDX-License-Identifier: Apache-2.0
#include "config/config_file.hpp"
#include "config/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace wcs_node_agent;

/// No text may do harm, and whatever is taken must be shown so that it is taken again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Config config;
    if (!to_string(apply_config_text(config, text, "fuzz")).empty()) {
        return 0;
    }
    find_conflicts(config);
    const Json shown = show_settings(config);
    Config again;
    if (!apply_settings(again, shown).empty() || show_settings(again) != shown) {
        std::abort();
    }
    return 0;
}
