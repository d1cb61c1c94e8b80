// SPDX-License-Identifier: Apache-2.0
#include "config/settings.hpp"

#include "config/json_value.hpp"
#include "config/profile_values.hpp"
#include "config/value_text.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wcs_node_agent {
namespace {

using boost::asio::ip::tcp;

/// The objects of the file that have settings as members, whose names then hold a dot.
constexpr std::string_view groups[] = {"kernel", "control", "client"};

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

/// Whether the kernel lets one socket alone have both: a wide address takes connections to all of
/// its family.
bool collide(const tcp::endpoint& one, const tcp::endpoint& other) {
    const bool same_port = one.port() == other.port() && one.protocol() == other.protocol();
    return same_port && one.port() != 0 &&
           (one == other || one.address().is_unspecified() || other.address().is_unspecified());
}

void add_endpoint_conflicts(std::vector<Conflict>& conflicts, const Config& config) {
    struct Listed {
        std::string setting;
        tcp::endpoint endpoint;
    };
    std::vector<Listed> all;
    const auto add = [&](const std::string& setting, const std::vector<tcp::endpoint>& endpoints) {
        for (const auto& endpoint : endpoints) {
            for (const auto& other : all) {
                if (!collide(endpoint, other.endpoint)) continue;
                const auto text = endpoint_text(endpoint);
                const auto other_text = endpoint_text(other.endpoint);
                const auto what =
                    text == other_text
                        ? fmt::format("{} and {} both have {}", setting, other.setting, text)
                        : fmt::format("{} {} and {} {} are one port twice: {}", setting, text,
                                      other.setting, other_text,
                                      setting == other.setting ? "the wide one is enough"
                                                               : "each needs one of its own");
                conflicts.push_back({setting, other.setting, what});
            }
            all.push_back({setting, endpoint});
        }
    };
    add("agent_listen", config.agent_listen);
    add("metrics_listen", config.metrics_listen);
    for (const auto& profile : config.profiles)
        add(profile_setting(profile, "agent_listen"), profile.agent_listen);
}

/// What an answer's settings have against each other and the node's. `place` makes the name of a
/// setting; `is_own` leaves out what is the same one level higher.
template <class Place, class IsOwn>
void add_answer_conflicts(std::vector<Conflict>& conflicts, const Config& config,
                          const AnswerSettings& answer, const Place& place, const IsOwn& is_own) {
    if (is_own("stale_after") && answer.stale_after <= config.wcs_interval) {
        conflicts.push_back({place("stale_after"), "wcs_interval",
                             fmt::format("{}, {}, is not longer than wcs_interval, {}: "
                                         "the counts would be stale between two fetches",
                                         place("stale_after"), duration_text(answer.stale_after),
                                         duration_text(config.wcs_interval))});
    }
    if (is_own("band_out_peak") && !config.peaks && named(answer.limits, "band_out_peak").maximum) {
        conflicts.push_back({place("band_out_peak"), "peaks",
                             fmt::format("{} is held against the peaks, which are off: set peaks",
                                         place("band_out_peak"))});
    }
}

}  // namespace

const Setting* find_setting(std::string_view name) {
    const auto found = std::ranges::find(settings(), name, &Setting::name);
    return found == settings().end() ? nullptr : &*found;
}

std::vector<std::string_view> top_level_keys() {
    std::vector<std::string_view> keys;
    std::ranges::transform(settings(), std::back_inserter(keys), &Setting::name);
    keys.insert(keys.end(), std::begin(groups), std::end(groups));
    return keys;
}

std::string value_text(const Setting& setting, const Config& config) {
    const Json shown = setting.show(config);
    if (shown.is_boolean()) return shown.get<bool>() ? "on" : "off";
    if (shown.is_array() && !shown.empty() && shown.front().is_object()) return shown.dump();
    if (shown.is_array() && !shown.empty())
        return fmt::format("{}", fmt::join(shown.get<std::vector<std::string>>(), ", "));
    if (shown.is_string() && !shown.get_ref<const std::string&>().empty())
        return shown.get<std::string>();
    return shown.is_number() || shown.is_object() ? shown.dump() : std::string(setting.no_value);
}

std::string option_name(std::string_view setting) {
    const auto* const known = find_setting(setting);
    if (known && !known->option.empty()) return std::string(known->option);
    std::string name = fmt::format("--{}", setting);
    std::ranges::replace(name, '_', '-');
    return name;
}

std::string default_text(const Setting& setting) {
    static const Config defaults;
    return setting.show(defaults).is_object() ? std::string(setting.no_value)
                                              : value_text(setting, defaults);
}

std::string description(const Setting& setting) {
    return setting.range ? fmt::format("{} ({})", setting.help, setting.range())
                         : std::string(setting.help);
}

std::vector<SettingChange> changed_settings(const Config& before, const Config& after) {
    std::vector<SettingChange> changes;
    for (const Setting& setting : settings())
        if (setting.name != profiles_key && setting.show(before) != setting.show(after))
            changes.push_back({std::string(setting.name), value_text(setting, before),
                               value_text(setting, after), setting.needs_restart});
    return changes;
}

ConfigErrors apply_settings(Config& config, const Json& values) {
    const auto keys = top_level_keys();
    auto errors = for_each_key(values, keys, [&](std::size_t index, const Json& value) {
        if (keys[index] == profiles_key) return ConfigErrors();
        if (const auto* const setting = find_setting(keys[index])) {
            auto of_value = setting->set(config, value);
            if (of_value.empty()) hand_down(config, *setting);
            return of_value;
        }
        return value.is_object() ? apply_group(config, keys[index], value)
                                 : one_error(must_be("an object", value));
    });
    // What profiles leave out they have from the rest, wherever in the file that stands.
    if (const auto profiles = values.find(profiles_key); profiles != values.end())
        append_below(errors, profiles_key, set_profiles(config, *profiles));
    return errors;
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
    if (config.cpu_window.count() > 0 && config.cpu_window < config.sample_interval) {
        conflicts.push_back(
            {"cpu_window", "sample_interval",
             fmt::format("cpu_window, {}, is shorter than sample_interval, {}",
                         duration_text(config.cpu_window), duration_text(config.sample_interval))});
    }
    if (config.wcs_insecure && !config.wcs_ca_file.empty()) {
        conflicts.push_back({"wcs_insecure", "wcs_ca_file",
                             "wcs_insecure takes any certificate, so nothing would be verified by "
                             "wcs_ca_file: give one of them"});
    }
    add_answer_conflicts(
        conflicts, config, config, [](std::string_view name) { return std::string(name); },
        [](std::string_view) { return true; });
    for (const auto& profile : config.profiles)
        add_answer_conflicts(
            conflicts, config, profile,
            [&](std::string_view name) { return profile_setting(profile, name); },
            [&](std::string_view name) { return has_own(profile, name); });
    add_endpoint_conflicts(conflicts, config);
    return conflicts;
}

}  // namespace wcs_node_agent
