// SPDX-License-Identifier: Apache-2.0
#include "config/profile_values.hpp"

#include "config/json_value.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

constexpr std::size_t most_profiles = 16;
constexpr std::size_t longest_profile_name = 32;  // a metric's label has it

/// The one setting without which a profile would answer nobody.
constexpr std::string_view required_setting = "agent_listen";

bool is_profile_name(std::string_view name) {
    const auto may_be_in_it = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= longest_profile_name &&
           std::ranges::all_of(name, may_be_in_it);
}

std::vector<std::string_view> names_of_answer_settings() {
    std::vector<std::string_view> names;
    for (const Setting& setting : settings())
        if (is_of_answer(setting)) names.push_back(setting.name);
    return names;
}

ConfigErrors set_own(Config& config, Profile& profile, std::string_view key, const Json& value) {
    const auto* const setting = find_setting(key);
    if (setting && is_of_answer(*setting)) {
        profile.own.push_back(setting->name);
        return setting->set(config, value);
    }
    const auto of_file = top_level_keys();
    if (std::ranges::find(of_file, key) != of_file.end())
        return one_error(Error{"is the node's and not a profile's: set it outside of profiles"});
    const auto known = names_of_answer_settings();
    return one_error(Error{"unknown key" + did_you_mean(key, known)});
}

ConfigErrors read_profile(Profile& profile, const Config& config, const Json& entry) {
    if (!is_profile_name(profile.name))
        return one_error(
            Error{fmt::format("must be named by 1 to {} letters, digits, _ and -, all "
                              "lower case",
                              longest_profile_name)});
    if (!entry.is_object()) return one_error(must_be("an object of settings", entry));
    Config own = config;
    ConfigErrors errors;
    for (const auto& [key, value] : entry.items())
        append_below(errors, key, set_own(own, profile, key, value));
    if (!entry.contains(required_setting))
        append_below(errors, required_setting, one_error(Error{"is missing"}));
    static_cast<AnswerSettings&>(profile) = std::move(own);
    return errors;
}

const Profile* find_profile(const Config& config, std::string_view name) {
    const auto found = std::ranges::find(config.profiles, name, &Profile::name);
    return found == config.profiles.end() ? nullptr : &*found;
}

}  // namespace

std::string profile_setting(const Profile& profile, std::string_view setting) {
    return fmt::format("{}.{}.{}", profiles_key, profile.name, setting);
}

bool is_of_answer(const Setting& setting) {
    return setting.group == "Limits" || setting.group == "Weight" ||
           setting.name == required_setting || setting.name == "counts";
}

bool has_own(const Profile& profile, std::string_view setting) {
    return std::ranges::find(profile.own, setting) != profile.own.end();
}

Config with_profile(const Config& config, const Profile& profile) {
    Config all = config;
    static_cast<AnswerSettings&>(all) = static_cast<const AnswerSettings&>(profile);
    return all;
}

Limits limits_of_all(const Config& config) {
    Limits all = config.limits;
    for (const auto& profile : config.profiles) {
        for (auto limit : profile.limits) {
            if (!has_own(profile, limit.name)) continue;
            limit.name = profile_setting(profile, limit.name);
            all.push_back(std::move(limit));
        }
    }
    return all;
}

ConfigErrors set_profiles(Config& config, const Json& value) {
    if (!value.is_object()) return one_error(must_be("an object of profiles by name", value));
    if (value.size() > most_profiles)
        return one_error(Error{
            fmt::format("must have at most {} profiles, not {}", most_profiles, value.size())});
    std::vector<Profile> profiles;
    ConfigErrors errors;
    for (const auto& [name, entry] : value.items()) {
        auto& profile = profiles.emplace_back();
        profile.name = name;
        append_below(errors, name, read_profile(profile, config, entry));
    }
    if (errors.empty()) config.profiles = std::move(profiles);
    return errors;
}

Json show_profiles(const Config& config) {
    Json shown = Json::object();
    for (const auto& profile : config.profiles) {
        const auto all = with_profile(config, profile);
        for (const auto name : profile.own)
            shown[profile.name][std::string(name)] = find_setting(name)->show(all);
    }
    return shown;
}

void hand_down(Config& config, const Setting& setting) {
    if (config.profiles.empty() || !is_of_answer(setting)) return;
    const auto value = setting.show(config);
    for (auto& profile : config.profiles) {
        if (has_own(profile, setting.name)) continue;
        auto all = with_profile(config, profile);
        setting.set(all, value);
        static_cast<AnswerSettings&>(profile) = std::move(all);
    }
}

std::vector<SettingChange> changed_profiles(const Config& before, const Config& after) {
    constexpr std::string_view nothing = "none";
    std::vector<SettingChange> changes;
    const auto listens = [](const Config& config, const Profile& profile) {
        return value_text(*find_setting(required_setting), with_profile(config, profile));
    };
    for (const auto& old : before.profiles)
        if (!find_profile(after, old.name))
            changes.push_back({"profiles." + old.name, listens(before, old), std::string(nothing)});
    for (const auto& profile : after.profiles) {
        const auto* const old = find_profile(before, profile.name);
        if (!old) {
            changes.push_back(
                {"profiles." + profile.name, std::string(nothing), listens(after, profile)});
            continue;
        }
        for (auto& change :
             changed_settings(with_profile(before, *old), with_profile(after, profile))) {
            if (!has_own(*old, change.name) && !has_own(profile, change.name)) continue;
            change.name = profile_setting(profile, change.name);
            changes.push_back(std::move(change));
        }
    }
    return changes;
}

}  // namespace wcs_node_agent
