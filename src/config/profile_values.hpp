// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "config/json.hpp"
#include "config/settings.hpp"

#include <wcs_node_agent/config.hpp>

#include <string>
#include <string_view>
#include <vector>

// Profiles, from and to JSON: an object of objects of settings, by name.

namespace wcs_node_agent {

/// The key of the file that has them.
inline constexpr std::string_view profiles_key = "profiles";

/// `profiles.NAME.SETTING`
std::string profile_setting(const Profile& profile, std::string_view setting);

/// Whether a profile may have it: what shapes an answer, and not what belongs to the node.
bool is_of_answer(const Setting& setting);

/// Whether the profile has it itself.
bool has_own(const Profile& profile, std::string_view setting);

/// The configuration by which a profile answers: its own settings over the others.
Config with_profile(const Config& config, const Profile& profile);

/// The node's limits, then those that profiles have themselves, which are named
/// profiles.NAME.LIMIT.
Limits limits_of_all(const Config& config);

/// Those of the object, in place of all that were there. What one leaves out it has from `config`.
/// Changes nothing where there is an error.
ConfigErrors set_profiles(Config& config, const Json& value);

/// What each has itself.
Json show_profiles(const Config& config);

/// Sets what is set at the top level in the profiles that do not have it themselves.
void hand_down(Config& config, const Setting& setting);

/// As changed_settings(): profiles that came or went, and what changed of their own.
std::vector<SettingChange> changed_profiles(const Config& before, const Config& after);

}  // namespace wcs_node_agent
