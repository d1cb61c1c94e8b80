// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_values.hpp"
#include "config/json_value.hpp"
#include "config/limit_values.hpp"
#include "config/settings.hpp"
#include "config/value_text.hpp"
#include "config/weight_values.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include <fmt/format.h>

// The kinds of rows that the table of settings has. `field` is a member of Config, or a function
// from a Config to one of its fields.

namespace wcs_node_agent::rows {

using namespace std::chrono_literals;

/// An error changes nothing.
template <class Field, class Value>
ConfigErrors assign(Field& field, Result<Value> value) {
    if (!value) {
        return one_error(std::move(value).error());
    }
    field = std::move(*value);
    return {};
}

/// What a setting is called and said to be; the kinds below add how it is read and shown.
struct Words {
    std::string_view name;
    std::string_view group;
    std::string_view value;
    std::string_view help;
    bool needs_restart = false;
    std::string_view no_value = {};
    std::string_view option = {};
};

constexpr Setting row(const Words& words, ConfigErrors (*set)(Config&, const Json&),
                      Json (*show)(const Config&), std::string (*range)() = nullptr,
                      bool is_list = false) {
    return {.name = words.name,
            .group = words.group,
            .value = words.value,
            .help = words.help,
            .range = range,
            .is_list = is_list,
            .needs_restart = words.needs_restart,
            .set = set,
            .show = show,
            .no_value = words.no_value,
            .option = words.option};
}

template <LimitValue value>
constexpr BuiltInLimit built_in = *std::ranges::find(built_in_limits, value, &BuiltInLimit::value);

template <LimitValue value>
constexpr Setting limit_setting(std::string_view placeholder, std::string_view help) {
    return row(
        {.name = built_in<value>.name, .group = "Limits", .value = placeholder, .help = help},
        [](Config& config, const Json& json) {
            return assign(named(config.limits, built_in<value>.name).maximum,
                          read_maximum(json, built_in<value>.unit));
        },
        [](const Config& config) {
            return show_maximum(named(config.limits, built_in<value>.name).maximum);
        });
}

template <auto field>
constexpr Setting listen_setting(std::string_view name, std::string_view help) {
    return row(
        {.name = name, .group = "Clients", .value = "ADDR:PORT", .help = help},
        [](Config& config, const Json& json) {
            return set_endpoints(std::invoke(field, config), json);
        },
        [](const Config& config) { return show_endpoints(std::invoke(field, config)); }, nullptr,
        true);
}

template <auto field>
constexpr Setting allow_setting(std::string_view name, std::string_view help) {
    return row(
        {.name = name, .group = "Clients", .value = "CIDR", .help = help},
        [](Config& config, const Json& json) {
            return set_networks(std::invoke(field, config), json);
        },
        [](const Config& config) { return Json(network_texts(std::invoke(field, config))); },
        nullptr, true);
}

/// The bounds are in milliseconds.
template <auto field, int shortest, int longest>
constexpr Setting duration_setting(std::string_view name, std::string_view group,
                                   std::string_view help, bool needs_restart = false) {
    return row(
        {.name = name,
         .group = group,
         .value = "DURATION",
         .help = help,
         .needs_restart = needs_restart},
        [](Config& config, const Json& json) {
            return assign(std::invoke(field, config),
                          read_duration(json, shortest * 1ms, longest * 1ms));
        },
        [](const Config& config) { return Json(duration_text(std::invoke(field, config))); },
        [] {
            return fmt::format("{} to {}", duration_text(shortest * 1ms),
                               duration_text(longest * 1ms));
        });
}

template <auto field, std::size_t smallest, std::size_t greatest>
constexpr Setting size_setting(const Words& words) {
    return row(
        words,
        [](Config& config, const Json& json) {
            return assign(std::invoke(field, config), read_size(json, smallest, greatest));
        },
        [](const Config& config) { return Json(size_text(std::invoke(field, config))); },
        [] { return fmt::format("{} to {}", size_text(smallest), size_text(greatest)); });
}

template <auto field, std::size_t greatest>
constexpr Setting count_setting(const Words& words) {
    return row(
        words,
        [](Config& config, const Json& json) {
            return assign(std::invoke(field, config), read_count(json, greatest));
        },
        [](const Config& config) { return Json(std::invoke(field, config)); },
        [] { return fmt::format("0 to {}", greatest); });
}

template <auto field>
constexpr Setting switch_setting(const Words& words) {
    return row(
        words,
        [](Config& config, const Json& json) {
            return assign(std::invoke(field, config), read_switch(json));
        },
        [](const Config& config) { return Json(std::invoke(field, config)); });
}

template <auto field, const auto& choices>
constexpr Setting choice_setting(const Words& words) {
    return row(
        words,
        [](Config& config, const Json& json) {
            return assign(std::invoke(field, config), read_choice(json, choices));
        },
        [](const Config& config) { return Json(name_of(std::invoke(field, config), choices)); });
}

/// A text that may be empty, which is called no_value.
template <auto field>
constexpr Setting optional_text_setting(const Words& words) {
    return row(
        words,
        [](Config& config, const Json& json) {
            return assign(std::invoke(field, config), read_optional_string(json));
        },
        [](const Config& config) { return Json(std::invoke(field, config)); });
}

/// A member of Config::weight.
template <auto member>
constexpr Setting session_setting(std::string_view name, std::string_view help) {
    return row(
        {.name = name, .group = "Weight", .value = "N", .help = help},
        [](Config& config, const Json& json) {
            return assign(config.weight.*member, read_sessions(json));
        },
        [](const Config& config) { return show_sessions(config.weight.*member); });
}

}  // namespace wcs_node_agent::rows
