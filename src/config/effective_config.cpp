// SPDX-License-Identifier: Apache-2.0
#include "config/effective_config.hpp"

#include "config/config_file.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

ConfigErrors apply_file(Config& config, const std::filesystem::path& file) {
    const Result<std::string> text = read_config_file(file);
    if (!text) {
        return {{.where = file.string(), .what = text.error().what}};
    }
    return apply_config_text(config, *text, file.string());
}

/// Where a conflict can be mended: the command line, if it took part, as it is the nearer.
std::string place(const Conflict& conflict, const std::optional<std::filesystem::path>& file,
                  const Json& overrides) {
    for (const std::string_view name : {conflict.first, conflict.second}) {
        if (overrides.contains(name)) {
            return option_name(name);
        }
    }
    std::string pointer = '/' + conflict.first;
    std::ranges::replace(pointer, '.', '/');
    return file ? fmt::format("{}: {}", file->string(), pointer) : conflict.first;
}

/// The key at the top of the file.
std::string_view top(std::string_view setting) { return setting.substr(0, setting.find('.')); }

}  // namespace

std::optional<std::filesystem::path> find_config_file(
    const std::optional<std::filesystem::path>& named) {
    if (named) {
        return named;
    }
    // One that cannot be looked at is there, and reading it will tell why not.
    std::error_code error;
    const bool absent = !std::filesystem::exists(default_config_file, error) && !error;
    return absent ? std::nullopt : std::optional<std::filesystem::path>(default_config_file);
}

ConfigErrors apply_overrides(Config& config, const Json& overrides) {
    ConfigErrors errors = apply_settings(config, overrides);
    for (ConfigError& error : errors) {
        error.where = option_name(error.key);
    }
    return errors;
}

Checked<Config> load_config(const std::optional<std::filesystem::path>& file,
                            const Json& overrides) {
    Config config;
    ConfigErrors errors = file ? apply_file(config, *file) : ConfigErrors();
    std::ranges::move(apply_overrides(config, overrides), std::back_inserter(errors));
    for (const Conflict& conflict : find_conflicts(config)) {
        // A value with an error left its field as it was, so this conflict may be none.
        const auto doubts = [&conflict](const ConfigError& error) {
            return error.key.empty() || error.key == top(conflict.first) ||
                   error.key == top(conflict.second);
        };
        if (std::ranges::none_of(errors, doubts)) {
            errors.push_back({.where = place(conflict, file, overrides), .what = conflict.what});
        }
    }
    return errors.empty() ? Checked<Config>(std::move(config)) : Checked<Config>(errors);
}

}  // namespace wcs_node_agent
