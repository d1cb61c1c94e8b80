// SPDX-License-Identifier: Apache-2.0
#include "config/settings.hpp"

#include "config/config_values.hpp"
#include "config/json_value.hpp"
#include "config/value_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr Choices<SourceChoice, 3> sources{{{"auto", SourceChoice::auto_detect},
                                            {"ebpf", SourceChoice::ebpf},
                                            {"procfs", SourceChoice::procfs}}};
constexpr Choices<WhenStale, 4> when_stale_choices{{{"down", WhenStale::down},
                                                    {"drain", WhenStale::drain},
                                                    {"hold", WhenStale::hold},
                                                    {"ignore", WhenStale::ignore}}};
constexpr Choices<std::string_view, 5> log_levels{{{"trace", "trace"},
                                                   {"debug", "debug"},
                                                   {"info", "info"},
                                                   {"warning", "warning"},
                                                   {"error", "error"}}};

template <class Field, class Value>
Faults assign(Field& field, Result<Value> value) {
    if (!value) {
        return fault(std::move(value).error());
    }
    field = std::move(*value);
    return {};
}

template <Limit limit>
constexpr Setting limit_setting(std::string_view value, std::string_view help) {
    return {to_string(limit),
            "Limits",
            value,
            help,
            false,
            [](Config& config, const Json& json) {
                return assign(config.limits[limit], read_limit(json, limit));
            },
            [](const Config& config) { return show_limit(config.limits[limit]); }};
}

template <auto field>
constexpr Setting listen_setting(std::string_view name, std::string_view help) {
    return {name,
            "Clients",
            "ADDR:PORT",
            help,
            true,
            [](Config& config, const Json& json) { return set_endpoints(config.*field, json); },
            [](const Config& config) { return show_endpoints(config.*field); }};
}

template <auto field>
constexpr Setting allow_setting(std::string_view name, std::string_view help) {
    return {name,
            "Clients",
            "CIDR",
            help,
            true,
            [](Config& config, const Json& json) { return set_networks(config.*field, json); },
            [](const Config& config) { return Json(network_texts(config.*field)); }};
}

/// The bounds are in milliseconds.
template <auto field, int shortest, int longest>
constexpr Setting duration_setting(std::string_view name, std::string_view group,
                                   std::string_view help) {
    return {name,
            group,
            "DURATION",
            help,
            false,
            [](Config& config, const Json& json) {
                return assign(config.*field, read_duration(json, shortest * 1ms, longest * 1ms));
            },
            [](const Config& config) { return Json(duration_text(config.*field)); }};
}

constexpr int second = 1000;
constexpr int minute = 60 * second;
constexpr int hour = 60 * minute;

constexpr std::array settings_table{
    listen_setting<&Config::agent_listen>(
        "agent_listen", "where HAProxy asks (default 0.0.0.0:9707 and [::]:9707)"),
    allow_setting<&Config::allow>("allow", "who gets an agent reply (default loopback)"),
    listen_setting<&Config::metrics_listen>("metrics_listen",
                                            "where HTTP is served (default 127.0.0.1:9708)"),
    allow_setting<&Config::metrics_allow>("metrics_allow",
                                          "who gets an HTTP response (default loopback)"),
    Setting{"web_config_file", "Clients", "FILE",
            "TLS and passwords for HTTP, as Prometheus' exporters read them (default none)", false,
            [](Config& config, const Json& json) {
                return assign(config.web_config_file, read_optional_text(json));
            },
            [](const Config& config) { return Json(config.web_config_file); }, "--web.config.file"},

    Setting{"wcs_url", "WCS", "URL",
            "the statistics page (default http://127.0.0.1:8081/?action=stat)", false,
            [](Config& config, const Json& json) { return assign(config.wcs_url, read_url(json)); },
            [](const Config& config) { return Json(config.wcs_url.text); }},
    duration_setting<&Config::wcs_interval, 100, hour>("wcs_interval", "WCS",
                                                       "from fetch to fetch (default 1s)"),
    duration_setting<&Config::wcs_timeout, 10, minute>("wcs_timeout", "WCS",
                                                       "for one whole fetch (default 3s)"),
    Setting{"wcs_max_page", "WCS", "SIZE", "a longer page is refused (default 16MiB)", false,
            [](Config& config, const Json& json) {
                return assign(config.wcs_max_page, read_size(json, 1 << 10, 1 << 30));
            },
            [](const Config& config) { return Json(size_text(config.wcs_max_page)); }},
    Setting{"wcs_max_stats", "WCS", "N", "entries of the page that are kept (default 256)", false,
            [](Config& config, const Json& json) {
                return assign(config.wcs_max_stats, read_count(json, 100'000));
            },
            [](const Config& config) { return Json(config.wcs_max_stats); }},
    Setting{"counts", "WCS", "", "the names on the page that make up each count", false, set_counts,
            show_counts},

    Setting{"interface", "Measuring", "GLOB",
            "interfaces to measure (default those below the default routes)", true,
            [](Config& config, const Json& json) { return set_texts(config.interfaces, json); },
            [](const Config& config) { return Json(config.interfaces); }},
    Setting{"source", "Measuring", "auto|ebpf|procfs",
            "where the node's own figures come from (default auto)", false,
            [](Config& config, const Json& json) {
                return assign(config.source, read_choice(json, sources));
            },
            [](const Config& config) { return Json(name_of(config.source, sources)); }},
    duration_setting<&Config::sample_interval, 10, 10 * second>(
        "sample_interval", "Measuring", "from sample to sample (default 250ms)"),
    duration_setting<&Config::window, 10, minute>(
        "window", "Measuring", "rates and CPU load are means over it (default 2s)"),
    Setting{"wire_overhead", "Measuring", "BYTES",
            "counted for each frame beside its own bytes (default 0; Ethernet's wire takes 24)",
            false,
            [](Config& config, const Json& json) {
                return assign(config.wire_overhead, read_count(json, 1000));
            },
            [](const Config& config) { return Json(config.wire_overhead); }},
    Setting{
        "peaks", "Measuring", "on|off", "the highest rate over 10 ms in each second (default off)",
        false,
        [](Config& config, const Json& json) { return assign(config.peaks, read_switch(json)); },
        [](const Config& config) { return Json(config.peaks); }},

    Setting{"follow_interfaces", "Measuring", "on|off",
            "count on interfaces that appear while it runs too (default on)", false,
            [](Config& config, const Json& json) {
                return assign(config.follow_interfaces, read_switch(json));
            },
            [](const Config& config) { return Json(config.follow_interfaces); }},
    Setting{"kernel.pin", "Measuring", "on|off",
            "go on counting while no agent runs, from one run to the next (default off)", false,
            [](Config& config, const Json& json) {
                return assign(config.kernel_pin, read_switch(json));
            },
            [](const Config& config) { return Json(config.kernel_pin); }},
    Setting{"kernel.pin_folder", "Measuring", "PATH",
            "where in a BPF file system (default /sys/fs/bpf/wcs-node-agent)", false,
            [](Config& config, const Json& json) {
                return assign(config.kernel_pin_folder, read_absolute_path(json));
            },
            [](const Config& config) { return Json(config.kernel_pin_folder.native()); }},

    limit_setting<Limit::cpu>("PERCENT", "mean busy share of the CPUs (default 90)"),
    limit_setting<Limit::publishers>("N", "streams published to the node (default 100)"),
    limit_setting<Limit::subscribers>("N", "streams played from the node (default 100)"),
    limit_setting<Limit::hls>("N", "HLS streams (default 100)"),
    limit_setting<Limit::band_in>(
        "MBPS", "received, in Mbit/s on the wire or as 80% of the link (default 100)"),
    limit_setting<Limit::band_out>(
        "MBPS", "sent, in Mbit/s on the wire or as 80% of the link (default 100)"),
    Setting{
        "recover", "Limits", "SHARE",
        "a node that went down comes back below this share of its limits (default 0.95)", false,
        [](Config& config, const Json& json) { return assign(config.recover, read_recover(json)); },
        [](const Config& config) { return show_number(config.recover); }},
    duration_setting<&Config::stale_after, 1, 24 * hour>(
        "stale_after", "Limits", "how long the last WCS counts hold (default 10s)"),
    Setting{
        "when_stale", "Limits", "down|drain|hold|ignore", "what happens then (default down)", false,
        [](Config& config, const Json& json) {
            return assign(config.when_stale, read_choice(json, when_stale_choices));
        },
        [](const Config& config) { return Json(name_of(config.when_stale, when_stale_choices)); }},

    Setting{"user", "Process", "NAME",
            "whom it runs as when root starts it (default wcs-node-agent, or a number of its own)",
            false,
            [](Config& config, const Json& json) {
                return assign(config.user, read_optional_text(json));
            },
            [](const Config& config) { return Json(config.user); }},

    Setting{"log_level", "Log", "LEVEL", "trace, debug, info, warning or error (default info)",
            false,
            [](Config& config, const Json& json) {
                return assign(config.log_level, read_choice(json, log_levels));
            },
            [](const Config& config) { return Json(config.log_level); }},
};

constexpr auto setting_names = [] {
    std::array<std::string_view, settings_table.size()> names;
    std::ranges::transform(settings_table, names.begin(), &Setting::name);
    return names;
}();

/// What may stand at the top of the file: the settings, and the objects that have some as members.
constexpr auto keys = [] {
    std::array<std::string_view, settings_table.size() + 1> all;
    std::ranges::copy(setting_names, all.begin());
    all.back() = "kernel";
    return all;
}();

bool is_member(std::string_view name, std::string_view group) {
    return name.size() > group.size() && name.starts_with(group) && name[group.size()] == '.';
}

/// A setting with a dot in its name is a member of an object in the file.
Faults apply_group(Config& config, std::string_view group, const Json& values) {
    std::vector<std::string_view> members;
    for (const std::string_view name : setting_names) {
        if (is_member(name, group)) {
            members.push_back(name.substr(group.size() + 1));
        }
    }
    return for_each_key(values, members, [&](std::size_t index, const Json& value) {
        const auto name = fmt::format("{}.{}", group, members[index]);
        return std::ranges::find(settings_table, name, &Setting::name)->set(config, value);
    });
}

}  // namespace

std::span<const Setting> settings() { return settings_table; }

std::string option_name(std::string_view setting) {
    const auto* const known = std::ranges::find(settings_table, setting, &Setting::name);
    if (known != settings_table.end() && !known->option.empty()) return std::string(known->option);
    std::string name = fmt::format("--{}", setting);
    std::ranges::replace(name, '_', '-');
    return name;
}

Faults apply_settings(Config& config, const Json& values) {
    return for_each_key(values, keys, [&config](std::size_t index, const Json& value) {
        if (index < settings_table.size()) {
            return settings_table[index].set(config, value);
        }
        return value.is_object() ? apply_group(config, keys[index], value)
                                 : fault(must_be("an object", value));
    });
}

Json show_settings(const Config& config) {
    Json shown = Json::object();
    for (const Setting& setting : settings_table) {
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
