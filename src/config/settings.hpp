// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "config/json.hpp"

#include <wcs_node_agent/config.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

// The one table of settings: the configuration file, the command line and `config show` are made
// from it, so that a name, a range and a meaning exist once.

namespace wcs_node_agent {

struct Setting {
    std::string_view name;   // the key in the file, OBJECT.KEY in an object; the option has - for _
    std::string_view group;  // its heading in --help and in the documentation
    std::string_view value;  // what stands for the value in --help; empty: in the file alone
    std::string_view help;   // one line, without the range and the default
    std::string (*range)();  // LOWEST to HIGHEST; null: it has none, or `help` says it
    bool is_list;            // the option may be repeated
    bool needs_restart;      // a reload does not change it

    /// Sets the field from a value of the file or a string of the command line. Values with errors
    /// change nothing; each error's place is a JSON pointer below the value.
    ConfigErrors (*set)(Config&, const Json& value);

    /// The field as it would be written in the file.
    Json (*show)(const Config&);

    std::string_view no_value;  // what an empty value means
    std::string_view option;    // where the option is not the key with - for _; else empty
};

/// The group of those that concern commands which ask an agent, and no agent.
inline constexpr std::string_view client_group = "Asking";

/// In the order of the documentation.
std::span<const Setting> settings();

/// The one with that name, or null.
const Setting* find_setting(std::string_view name);

/// What may stand at the top of the file.
std::vector<std::string_view> top_level_keys();

/// Its value as the command line has it.
std::string value_text(const Setting& setting, const Config& config);

/// `--band-out` for `band_out`, and the option of a setting that has one of its own.
std::string option_name(std::string_view setting);

/// The default as a person would write it.
std::string default_text(const Setting& setting);

/// One line for people: the help with the range.
std::string description(const Setting& setting);

/// A setting that differs, with its values as the command line has them.
struct SettingChange {
    std::string name;  // of a profile: profiles.NAME.SETTING
    std::string before;
    std::string after;
    bool needs_restart = false;  // takes effect at the next start alone

    bool operator==(const SettingChange&) const = default;
};

std::vector<SettingChange> changed_settings(const Config& before, const Config& after);

/// Sets what `values`, an object, names; profiles get what they do not have themselves. An unknown
/// key is an error. Each error's place is a JSON pointer into `values`.
ConfigErrors apply_settings(Config& config, const Json& values);

/// All settings as an object that apply_settings() takes back.
Json show_settings(const Config& config);

/// Two settings, each fine alone, that do not go together. One of a profile is
/// profiles.NAME.SETTING.
struct Conflict {
    std::string first;
    std::string second;
    std::string what;
};

std::vector<Conflict> find_conflicts(const Config& config);

}  // namespace wcs_node_agent
