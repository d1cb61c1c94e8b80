// SPDX-License-Identifier: Apache-2.0
#include "config/config_values.hpp"
#include "config/json_value.hpp"
#include "config/limit_values.hpp"
#include "config/profile_values.hpp"
#include "config/setting_rows.hpp"
#include "config/settings.hpp"
#include "config/weight_values.hpp"

#include <array>
#include <string_view>

namespace wcs_node_agent {
namespace {

using namespace rows;

constexpr Choices<SourceChoice, 3> sources{{{"auto", SourceChoice::auto_detect},
                                            {"ebpf", SourceChoice::ebpf},
                                            {"procfs", SourceChoice::procfs}}};
constexpr Choices<WhenStale, 4> when_stale_choices{{{"down", WhenStale::down},
                                                    {"drain", WhenStale::drain},
                                                    {"hold", WhenStale::hold},
                                                    {"ignore", WhenStale::ignore}}};
constexpr Choices<WeightPolicy, 2> weight_policies{
    {{"headroom", WeightPolicy::headroom}, {"proportional", WeightPolicy::proportional}}};
constexpr Choices<std::string_view, 5> log_levels{{{"trace", "trace"},
                                                   {"debug", "debug"},
                                                   {"info", "info"},
                                                   {"warning", "warning"},
                                                   {"error", "error"}}};

/// Members of Config::weight, as the rows take members of Config.
template <auto member>
constexpr auto of_weight = [](auto& config) -> auto& {
    return config.weight.*member;
};

/// Likewise of Config::control.
template <auto member>
constexpr auto of_control = [](auto& config) -> auto& {
    return config.control.*member;
};

template <auto member>
constexpr auto of_client = [](auto& config) -> auto& {
    return config.client.*member;
};

/// Absolute, or empty.
Result<std::string_view> read_optional_path(const Json& json) {
    auto text = read_optional_string(json);
    return text && text->empty() ? text : read_absolute_path(json);
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
    duration_setting<&Config::cpu_window, 0, minute>(
        "cpu_window", "Measuring", "CPU load is a mean over this instead; 0s: over window"),
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

    choice_setting<of_weight<&WeightSettings::policy>, weight_policies>(
        {.name = "policy",
         .group = "Weight",
         .value = "headroom|proportional",
         .help = "how the weight is made: of the free share with all that follows, or of the free "
                 "share alone"}),
    session_setting<&WeightSettings::capacity>(
        "capacity", "sessions that fill the node; auto: estimated from those that it has"),
    session_setting<&WeightSettings::capacity_reference>(
        "capacity_reference",
        "sessions of room at which a node reports 100 %, alike on all nodes; auto: its capacity"),
    duration_setting<of_weight<&WeightSettings::capacity_window>, second, 24 * hour>(
        "capacity_window", "Weight", "time constant of the estimated cost of a session"),
    duration_setting<of_weight<&WeightSettings::recent_sessions>, 0, 10 * minute>(
        "recent_sessions", "Weight",
        "for so long a session that came counts beside the load that it shows, less and less"),
    duration_setting<of_weight<&WeightSettings::ramp>, 0, hour>(
        "ramp", "Weight", "in which a node that came up gets to its full weight"),
    switch_setting<of_weight<&WeightSettings::maxconn>>(
        {.name = "maxconn",
         .group = "Weight",
         .value = "on|off",
         .help = "report how many connections HAProxy may have open"}),
    row(
        {.name = "balancers",
         .group = "Weight",
         .value = "N",
         .help =
             "server lines of HAProxy that lead to the node, over which its room is divided, up "
             "to 1000",
         .no_value = "as many as sources ask"},
        [](Config& config, const Json& json) {
            return assign(config.weight.balancers, read_balancers(json));
        },
        [](const Config& config) { return show_balancers(config.weight.balancers); }),

    row({.name = profiles_key,
         .group = "Profiles",
         .value = "",
         .help = "further answers, each at addresses of its own and with limits, counts and a "
                 "weight of its own",
         .no_value = "none"},
        set_profiles, show_profiles),

    optional_text_setting<&Config::user>(
        {.name = "user",
         .group = "Process",
         .value = "NAME",
         .help = "whom it runs as when root starts it: an account in /etc/passwd",
         .needs_restart = true,
         .no_value = "wcs-node-agent where there is that account, or else the number 65530"}),

    row(
        {.name = "control.socket",
         .group = "Operator",
         .value = "PATH",
         .help = "where drain, maint and ready reach the agent",
         .needs_restart = true,
         .no_value = "nowhere, and no such word holds"},
        [](Config& config, const Json& json) {
            return assign(config.control.socket, read_optional_path(json));
        },
        [](const Config& config) { return Json(config.control.socket); }),
    optional_text_setting<of_control<&ControlSettings::group>>(
        {.name = "control.group",
         .group = "Operator",
         .value = "GROUP",
         .help = "whose members may say them, beside root: a name in /etc/group or a number",
         .needs_restart = true,
         .no_value = "none but the agent's own group"}),
    row(
        {.name = "control.state_file",
         .group = "Operator",
         .value = "FILE",
         .help = "where the word is kept over a restart, with the balancers that heard it",
         .needs_restart = true},
        [](Config& config, const Json& json) {
            return assign(config.control.state_file, read_absolute_path(json));
        },
        [](const Config& config) { return Json(config.control.state_file.native()); }),
    duration_setting<of_control<&ControlSettings::repeat_ready>, 0, hour>(
        "control.repeat_ready", "Operator",
        "for so long a balancer hears ready, from the first time on; longer than agent-inter",
        true),

    optional_text_setting<of_client<&ClientSettings::username>>(
        {.name = "client.username",
         .group = client_group,
         .value = "NAME",
         .help = "who asks, where the web file has users",
         .no_value = "nobody",
         .option = "--username"}),
    optional_text_setting<of_client<&ClientSettings::password_file>>(
        {.name = "client.password_file",
         .group = client_group,
         .value = "FILE",
         .help = "the password is its first line; $WCS_NODE_AGENT_PASSWORD wins over it",
         .no_value = "none",
         .option = "--password-file"}),
    optional_text_setting<of_client<&ClientSettings::cert_file>>(
        {.name = "client.cert_file",
         .group = client_group,
         .value = "FILE",
         .help = "PEM certificate to show, where the web file has a client_auth_type",
         .no_value = "none",
         .option = "--cert-file"}),
    optional_text_setting<of_client<&ClientSettings::key_file>>(
        {.name = "client.key_file",
         .group = client_group,
         .value = "FILE",
         .help = "PEM key of that certificate",
         .no_value = "in cert_file",
         .option = "--key-file"}),

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
