// SPDX-License-Identifier: Apache-2.0
#include "config/config_values.hpp"
#include "config/json_value.hpp"
#include "config/limit_values.hpp"
#include "config/settings.hpp"
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
        [](Config& config, const Json& json) { return set_endpoints(config.*field, json); },
        [](const Config& config) { return show_endpoints(config.*field); }, nullptr, true);
}

template <auto field>
constexpr Setting allow_setting(std::string_view name, std::string_view help) {
    return row(
        {.name = name, .group = "Clients", .value = "CIDR", .help = help},
        [](Config& config, const Json& json) { return set_networks(config.*field, json); },
        [](const Config& config) { return Json(network_texts(config.*field)); }, nullptr, true);
}

/// The bounds are in milliseconds.
template <auto field, int shortest, int longest>
constexpr Setting duration_setting(std::string_view name, std::string_view group,
                                   std::string_view help) {
    return row(
        {.name = name, .group = group, .value = "DURATION", .help = help},
        [](Config& config, const Json& json) {
            return assign(config.*field, read_duration(json, shortest * 1ms, longest * 1ms));
        },
        [](const Config& config) { return Json(duration_text(config.*field)); },
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
            return assign(config.*field, read_size(json, smallest, greatest));
        },
        [](const Config& config) { return Json(size_text(config.*field)); },
        [] { return fmt::format("{} to {}", size_text(smallest), size_text(greatest)); });
}

template <auto field, std::size_t greatest>
constexpr Setting count_setting(const Words& words) {
    return row(
        words,
        [](Config& config, const Json& json) {
            return assign(config.*field, read_count(json, greatest));
        },
        [](const Config& config) { return Json(config.*field); },
        [] { return fmt::format("0 to {}", greatest); });
}

template <auto field>
constexpr Setting switch_setting(const Words& words) {
    return row(
        words,
        [](Config& config, const Json& json) { return assign(config.*field, read_switch(json)); },
        [](const Config& config) { return Json(config.*field); });
}

template <auto field, const auto& choices>
constexpr Setting choice_setting(const Words& words) {
    return row(
        words,
        [](Config& config, const Json& json) {
            return assign(config.*field, read_choice(json, choices));
        },
        [](const Config& config) { return Json(name_of(config.*field, choices)); });
}

/// A text that may be empty, which is called no_value.
template <auto field>
constexpr Setting optional_text_setting(const Words& words) {
    return row(
        words,
        [](Config& config, const Json& json) {
            return assign(config.*field, read_optional_string(json));
        },
        [](const Config& config) { return Json(config.*field); });
}

constexpr int second = 1000;
constexpr int minute = 60 * second;
constexpr int hour = 60 * minute;

constexpr std::array settings_table{
    listen_setting<&Config::agent_listen>("agent_listen", "where HAProxy asks"),
    allow_setting<&Config::allow>("allow", "who gets an agent reply"),
    listen_setting<&Config::metrics_listen>("metrics_listen", "where HTTP is served"),
    allow_setting<&Config::metrics_allow>("metrics_allow", "who gets an HTTP response"),
    optional_text_setting<&Config::web_config_file>(
        {.name = "web_config_file",
         .group = "Clients",
         .value = "FILE",
         .help = "TLS and passwords for HTTP, as Prometheus' exporters read them",
         .no_value = "none",
         .option = "--web.config.file"}),

    row(
        {.name = "wcs_url",
         .group = "WCS",
         .value = "URL",
         .help = "the statistics page, http[s]://HOST[:PORT]/?action=stat, text or JSON"},
        [](Config& config, const Json& json) { return assign(config.wcs_url, read_url(json)); },
        [](const Config& config) { return Json(config.wcs_url.text); }),
    optional_text_setting<&Config::wcs_ca_file>(
        {.name = "wcs_ca_file",
         .group = "WCS",
         .value = "FILE",
         .help =
             "PEM certificates by which that of an https page is verified: its CA's, or its own",
         .no_value = "the system's CAs"}),
    switch_setting<&Config::wcs_insecure>({.name = "wcs_insecure",
                                           .group = "WCS",
                                           .value = "on|off",
                                           .help = "take any certificate of an https page"}),
    duration_setting<&Config::wcs_interval, 100, hour>("wcs_interval", "WCS",
                                                       "from one fetch to the next"),
    duration_setting<&Config::wcs_timeout, 10, minute>("wcs_timeout", "WCS", "for one whole fetch"),
    size_setting<&Config::wcs_max_page, 1 << 10, 1 << 30>({.name = "wcs_max_page",
                                                           .group = "WCS",
                                                           .value = "SIZE",
                                                           .help = "a longer page is refused"}),
    count_setting<&Config::wcs_max_stats, 100'000>(
        {.name = "wcs_max_stats",
         .group = "WCS",
         .value = "N",
         .help = "entries of the page that are kept, and exported as wcs_stat"}),
    row({.name = "counts",
         .group = "WCS",
         .value = "",
         .help = "the names on the page that make up each count",
         .no_value = "see below"},
        set_counts, show_counts),

    row(
        {.name = "interface",
         .group = "Measuring",
         .value = "GLOB",
         .help = "interfaces to measure by a name or an alternative one, with *, ? and [...] as in "
                 "a shell",
         .no_value =
             "the cards that packets for the internet leave through, or else every physical "
             "one"},
        [](Config& config, const Json& json) { return set_strings(config.interfaces, json); },
        [](const Config& config) { return Json(config.interfaces); }, nullptr, true),
    choice_setting<&Config::source, sources>(
        {.name = "source",
         .group = "Measuring",
         .value = "auto|ebpf|procfs",
         .help =
             "where the node's own figures come from; auto takes eBPF where it can be used, and "
             "/proc elsewhere",
         .needs_restart = true}),
    duration_setting<&Config::sample_interval, 10, 10 * second>("sample_interval", "Measuring",
                                                                "from one sample to the next"),
    duration_setting<&Config::window, 10, minute>(
        "window", "Measuring", "rates and CPU load are means over it; at least sample_interval"),
    count_setting<&Config::wire_overhead, 1000>(
        {.name = "wire_overhead",
         .group = "Measuring",
         .value = "BYTES",
         .help = "counted for each frame beside its own bytes; Ethernet's wire takes 24"}),
    switch_setting<&Config::peaks>(
        {.name = "peaks",
         .group = "Measuring",
         .value = "on|off",
         .help = "measure the highest rate over some milliseconds within each second"}),
    switch_setting<&Config::follow_interfaces>(
        {.name = "follow_interfaces",
         .group = "Measuring",
         .value = "on|off",
         .help = "count on interfaces that appear while it runs too",
         .needs_restart = true}),
    switch_setting<&Config::kernel_pin>(
        {.name = "kernel.pin",
         .group = "Measuring",
         .value = "on|off",
         .help = "go on counting while no agent runs, from one run to the next",
         .needs_restart = true}),
    row(
        {.name = "kernel.pin_folder",
         .group = "Measuring",
         .value = "PATH",
         .help = "where that is kept, in a BPF file system",
         .needs_restart = true},
        [](Config& config, const Json& json) {
            return assign(config.kernel_pin_folder, read_absolute_path(json));
        },
        [](const Config& config) { return Json(config.kernel_pin_folder.native()); }),

    limit_setting<LimitValue::cpu>("PERCENT", "mean busy percent of the online CPUs, up to 100"),
    limit_setting<LimitValue::publishers>("N", "streams published to the node"),
    limit_setting<LimitValue::subscribers>("N", "streams played from the node"),
    limit_setting<LimitValue::hls>("N", "HLS streams"),
    limit_setting<LimitValue::band_in>(
        "MBPS", "received on the wire, in Mbit/s (10^6 bit) or as 80% of the link"),
    limit_setting<LimitValue::band_out>(
        "MBPS", "sent on the wire, in Mbit/s (10^6 bit) or as 80% of the link"),
    limit_setting<LimitValue::ports>("PERCENT",
                                     "media ports of WCS that are busy or in quarantine, of all"),
    limit_setting<LimitValue::cpu_core>("PERCENT", "busy percent of the busiest CPU, over 10 s"),
    limit_setting<LimitValue::udp_loss>(
        "PERCENT",
        "soft: UDP datagrams lost in sockets' buffers, of those that came for them, over 10 s"),
    limit_setting<LimitValue::band_out_peak>(
        "MBPS",
        "soft: the highest rate sent within a second, in Mbit/s or as 80% of the link; needs "
        "peaks"),
    row({.name = "limits",
         .group = "Limits",
         .value = "",
         .help = "limits of your own over numbers of the page",
         .no_value = "none"},
        set_own_limits, show_own_limits),
    row(
        {.name = "recover",
         .group = "Limits",
         .value = "SHARE",
         .help = "a node that went down comes back below this share of its limits, greater than 0 "
                 "and up to 1"},
        [](Config& config, const Json& json) { return assign(config.recover, read_recover(json)); },
        [](const Config& config) { return show_number(config.recover); }),
    duration_setting<&Config::stale_after, 1, 24 * hour>(
        "stale_after", "Limits",
        "how long the last value of a limit holds, as when WCS does not answer; longer than "
        "wcs_interval"),
    choice_setting<&Config::when_stale, when_stale_choices>(
        {.name = "when_stale",
         .group = "Limits",
         .value = "down|drain|hold|ignore",
         .help =
             "what then: take the node out, give it no new streams, go on with the last counts, "
             "or go on without the limits that need WCS"}),
    choice_setting<&Config::when_unreadable, when_stale_choices>(
        {.name = "when_unreadable",
         .group = "Limits",
         .value = "down|drain|hold|ignore",
         .help = "the same for every limit whose value is unknown although WCS is not silent: it "
                 "answers with an error or another page, or the agent cannot measure"}),

    optional_text_setting<&Config::user>(
        {.name = "user",
         .group = "Process",
         .value = "NAME",
         .help = "whom it runs as when root starts it: an account in /etc/passwd",
         .needs_restart = true,
         .no_value = "wcs-node-agent where there is that account, or else the number 65530"}),

    row(
        {.name = "log_level",
         .group = "Log",
         .value = "LEVEL",
         .help = "trace, debug, info, warning or error"},
        [](Config& config, const Json& json) {
            return assign(config.log_level, read_choice(json, log_levels));
        },
        [](const Config& config) { return Json(config.log_level); }),
};

}  // namespace

std::span<const Setting> settings() { return settings_table; }

}  // namespace wcs_node_agent
