// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.hpp"

#include "config/profile_values.hpp"
#include "config/value_text.hpp"
#include "config/wcs_trust.hpp"
#include "daemon/capacity_follower.hpp"
#include "daemon/interface_names.hpp"
#include "http/auth/web_config.hpp"
#include "kernel/ebpf_probe.hpp"
#include "kernel/link_speed.hpp"
#include "kernel/links.hpp"
#include "kernel/open_probe.hpp"
#include "kernel/receive_files.hpp"
#include "kernel/requirements.hpp"
#include "load/page_value.hpp"
#include "load/selection.hpp"
#include "process/exit_status.hpp"
#include "wcs/recount.hpp"

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/ostream.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

enum class Finding { ok, missing, note };

void print(std::ostream& out, Finding finding, std::string_view name, std::string_view found,
           std::string_view remedy = {}) {
    constexpr std::array<std::string_view, 3> words{"ok", "missing", "note"};
    fmt::print(out, "  {:<8} {:<31} {}\n", words[static_cast<std::size_t>(finding)], name, found);
    if (!remedy.empty()) fmt::print(out, "  {:<8} {:<31} to fix it: {}\n", "", "", remedy);
}

/// What only loading the programs can show.
void check_programs(std::ostream& out) {
    const auto probe = EbpfProbe::load();
    if (!probe) {
        print(out, Finding::missing, "kernel programs", probe.error().what);
        return;
    }
    print(out, Finding::ok, "kernel programs", "accepted by the verifier and attached");
    if ((*probe)->hook_kind() == HookKind::tcx)
        print(out, Finding::ok, "traffic hook", "tcx");
    else
        print(out, Finding::note, "traffic hook",
              "clsact, as TCX came with Linux 6.6: CAP_NET_ADMIN is kept");
    if ((*probe)->subtracts_drops())
        print(out, Finding::ok, "qdisc drops", "subtracted from what counts as sent");
    else
        print(out, Finding::note, "qdisc drops",
              "count as sent, as the kernel reports them from Linux 5.18 on");
}

void check_kernel(std::ostream& out) {
    out << "Counting by eBPF\n";
    const auto requirements = ebpf_requirements();
    for (const auto& one : requirements)
        print(out, one.met ? Finding::ok : Finding::missing, one.name, one.found, one.remedy);
    if (missing(requirements).empty()) check_programs(out);
}

std::string_view because(SelectedBy reason) {
    switch (reason) {
        case SelectedBy::name:
            return "by its name";
        case SelectedBy::route:
            return "by the route to the internet";
        case SelectedBy::physical:
            break;
    }
    return "as every physical one: there is no route to the internet";
}

void check_interfaces(const Config& config, std::ostream& out) {
    auto monitor = LinkMonitor::open();
    const auto links = monitor ? monitor->list() : Result<std::vector<Link>>(monitor.error());
    if (!links) {
        print(out, Finding::missing, "interfaces", links.error().what);
        return;
    }
    const auto selection = select_interfaces(*links, config.interfaces);
    const auto& [selected, left_out, unmatched, reason] = selection;
    for (const auto& link : *links) {
        if (std::ranges::binary_search(selected, link.index))
            print(out, Finding::ok, "in the bandwidth limits",
                  fmt::format("{}, {}", link.name, because(reason)));
        const auto left = std::ranges::find(left_out, link.index, &LeftOut::index);
        if (left != left_out.end())
            print(out, Finding::note, "left out of the sum",
                  fmt::format("{}, as its frames are counted on {}", link.name,
                              name_of(*links, left->counted_on)));
    }
    if (selected.empty())
        print(out, Finding::missing, "in the bandwidth limits", "no interface",
              "name one with --interface");
    for (const auto& error : check_names(selection, *links))
        print(out, Finding::missing, error.where, error.what);
    for (const auto& error :
         CapacityFollower(link_speed).check(limits_of_all(config), *links, selected))
        print(out, Finding::missing, error.where, error.what);
}

/// What is known of WCS then: its page, for the limits.
WcsState check_wcs(const Config& config, std::ostream& out) {
    const auto settings = load_wcs_settings(config);
    if (!settings) {
        for (const auto& error : settings.error())
            print(out, Finding::missing, error.where, error.what);
        return {};
    }
    boost::asio::io_context io(1);
    WcsPoller poller(io.get_executor(), *settings);
    boost::asio::co_spawn(io, poller.fetch_once(), boost::asio::detached);
    io.run();
    const auto& state = poller.state();
    if (state.fault == WcsFault::none)
        print(out, Finding::ok, "WCS",
              config.wcs_url.text + (config.wcs_url.tls && config.wcs_insecure
                                         ? ", whose certificate is not verified"
                                         : ""));
    else
        print(out, Finding::missing, "WCS", state.fault_text);
    return state;
}

std::string maximum_text(const Limit& limit) {
    const auto& [value, is_share] = *limit.maximum;
    auto text = is_share ? percent_text(value) + " of the link" : fmt::format("{:.15g}", value);
    switch (limit.unit) {
        case LimitUnit::percent:
            return text + " %";
        case LimitUnit::megabits_per_second:
            return is_share ? text : text + " Mbit/s";
        case LimitUnit::streams:
        case LimitUnit::number:
            break;
    }
    return text;
}

struct ValueSource {
    bool is_there;
    std::string text;  // what is read, or why there is nothing
};

ValueSource page_source(const Limit& limit, const WcsState& wcs) {
    if (!wcs.page_at) return {false, "there is no page"};
    if (limit.keys.empty()) return {true, "counts of the page"};
    if (const auto value = page_value(limit, *wcs.page); !value) return {false, value.error().what};
    return {true, fmt::format("{} on the page", fmt::join(limit.keys, " + "))};
}

/// Where a limit's value comes from on this node.
ValueSource value_source(const Limit& limit, const WcsState& wcs) {
    if (is_of_wcs(limit.value)) return page_source(limit, wcs);
    switch (limit.value) {
        case LimitValue::udp_loss: {
            const auto receive = ReceiveFiles().read(Clock::now());
            return receive.udp ? ValueSource{true, "/proc/net/snmp, /proc/net/snmp6"}
                               : ValueSource{false, receive.udp_unknown};
        }
        case LimitValue::cpu:
        case LimitValue::cpu_core:
            return {true, "busy time of the CPUs"};
        default:
            return {true, "frames of the interfaces above"};
    }
}

void check_limits(const AnswerSettings& config, const WcsState& wcs, std::ostream& out) {
    std::vector<std::string_view> off;
    for (const auto& limit : config.limits) {
        if (!limit.maximum) {
            off.push_back(limit.name);
            continue;
        }
        const auto source = value_source(limit, wcs);
        const bool is_optional = limit.value == LimitValue::ports;
        print(out,
              source.is_there ? Finding::ok
              : is_optional   ? Finding::note
                              : Finding::missing,
              "limit " + limit.name,
              fmt::format("{}{}: {}", maximum_text(limit), limit.soft ? ", soft" : "",
                          source.is_there ? source.text : "not checked, " + source.text));
    }
    if (!off.empty())
        print(out, Finding::note, "limits that are off", fmt::format("{}", fmt::join(off, ", ")));
}

void check_web(const Config& config, std::ostream& out) {
    if (config.web_config_file.empty()) return;
    const auto web = load_web_config(config.web_config_file);
    if (!web) {
        for (const auto& error : web.error())
            print(out, Finding::missing, "web.config.file",
                  fmt::format("{}: {}", error.where, error.what));
        return;
    }
    print(out, Finding::ok, "web.config.file",
          fmt::format("{}, {}", web->tls ? "TLS" : "plain HTTP",
                      web->users.empty() ? "no password" : "a password is asked for"));
    for (const auto& warning : web->warnings) print(out, Finding::note, "web.config.file", warning);
}

}  // namespace

int run_doctor(const Config& config, std::ostream& out) {
    spdlog::set_level(spdlog::level::off);
    check_kernel(out);
    out << "This node\n";
    check_interfaces(config, out);
    const auto wcs = check_wcs(config, out);
    check_limits(config, wcs, out);
    for (const auto& profile : config.profiles) {
        fmt::print(out, "Profile {}\n", profile.name);
        Recount recount;
        recount.count(wcs, profile.counts);
        if (const auto& missing = recount.state().counts.missing; wcs.page_at && !missing.empty())
            print(out, Finding::missing, "counts", recount.state().fault_text);
        check_limits(profile, wcs, out);
    }
    check_web(config, out);

    const auto opened = open_probe(config.source);
    if (!opened) {
        out << "The agent would not start with this source.\n";
        return exit_failed;
    }
    fmt::print(out, "The agent would use: {}\n", to_string(opened->probe->source()));
    return exit_done;
}

}  // namespace wcs_node_agent
