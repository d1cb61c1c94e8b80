// SPDX-License-Identifier: Apache-2.0
#include "config/settings.hpp"

#include "config/json_value.hpp"
#include "config/value_text.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wcs_node_agent {
namespace {

/// The objects of the file that have settings as members, whose names then hold a dot.
constexpr std::string_view groups[] = {"kernel"};

const Setting* find_setting(std::string_view name) {
    const auto found = std::ranges::find(settings(), name, &Setting::name);
    return found == settings().end() ? nullptr : &*found;
}

/// What may stand at the top of the file.
std::vector<std::string_view> top_level_keys() {
    std::vector<std::string_view> keys;
    std::ranges::transform(settings(), std::back_inserter(keys), &Setting::name);
    keys.insert(keys.end(), std::begin(groups), std::end(groups));
    return keys;
}

bool is_member(std::string_view name, std::string_view group) {
    return name.size() > group.size() && name.starts_with(group) && name[group.size()] == '.';
}

ConfigErrors apply_group(Config& config, std::string_view group, const Json& values) {
    std::vector<std::string_view> members;
    for (const Setting& setting : settings())
        if (is_member(setting.name, group))
            members.push_back(setting.name.substr(group.size() + 1));
    return for_each_key(values, members, [&](std::size_t index, const Json& value) {
        return find_setting(fmt::format("{}.{}", group, members[index]))->set(config, value);
    });
}

}  // namespace

std::string option_name(std::string_view setting) {
    const auto* const known = find_setting(setting);
    if (known && !known->option.empty()) return std::string(known->option);
    std::string name = fmt::format("--{}", setting);
    std::ranges::replace(name, '_', '-');
    return name;
}

std::string default_text(const Setting& setting) {
    const Json shown = setting.show(Config());
    if (shown.is_boolean()) return shown.get<bool>() ? "on" : "off";
    if (shown.is_array() && !shown.empty())
        return fmt::format("{}", fmt::join(shown.get<std::vector<std::string>>(), ", "));
    if (shown.is_string() && !shown.get_ref<const std::string&>().empty())
        return shown.get<std::string>();
    return shown.is_number() ? shown.dump() : std::string(setting.no_value);
}

std::string description(const Setting& setting) {
    return setting.range ? fmt::format("{} ({})", setting.help, setting.range())
                         : std::string(setting.help);
}

std::vector<std::string_view> changed_at_restart(const Config& before, const Config& after) {
    std::vector<std::string_view> names;
    for (const Setting& setting : settings())
        if (setting.needs_restart && setting.show(before) != setting.show(after))
            names.push_back(setting.name);
    return names;
}

ConfigErrors apply_settings(Config& config, const Json& values) {
    const auto keys = top_level_keys();
    return for_each_key(values, keys, [&](std::size_t index, const Json& value) {
        if (const auto* const setting = find_setting(keys[index]))
            return setting->set(config, value);
        return value.is_object() ? apply_group(config, keys[index], value)
                                 : one_error(must_be("an object", value));
    });
}

Json show_settings(const Config& config) {
    Json shown = Json::object();
    for (const Setting& setting : settings()) {
        const auto dot = setting.name.find('.');
        Json& object = dot == std::string_view::npos ? shown : shown[setting.name.substr(0, dot)];
        object[setting.name.substr(dot == std::string_view::npos ? 0 : dot + 1)] =
            setting.show(config);
    }
    return shown;
}

std::vector<Conflict> find_conflicts(const Config& config) {
    std::vector<Conflict> conflicts;
    if (config.window < config.sample_interval) {
        conflicts.push_back(
            {"window", "sample_interval",
             fmt::format("window, {}, is shorter than sample_interval, {}",
                         duration_text(config.window), duration_text(config.sample_interval))});
    }
    if (config.stale_after <= config.wcs_interval) {
        conflicts.push_back(
            {"stale_after", "wcs_interval",
             fmt::format("stale_after, {}, is not longer than wcs_interval, {}: "
                         "the counts would be stale between two fetches",
                         duration_text(config.stale_after), duration_text(config.wcs_interval))});
    }
    for (const auto& endpoint : config.metrics_listen) {
        if (endpoint.port() != 0 &&
            std::ranges::find(config.agent_listen, endpoint) != config.agent_listen.end()) {
            conflicts.push_back({"metrics_listen", "agent_listen",
                                 fmt::format("metrics_listen and agent_listen both have {}",
                                             endpoint_text(endpoint))});
        }
    }
    return conflicts;
}

}  // namespace wcs_node_agent
