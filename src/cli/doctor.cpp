// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.hpp"

#include "cli/doctor_report.hpp"
#include "cli/preflight.hpp"
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

/// What only loading the programs can show.
void check_programs(DoctorReport& report) {
    const auto probe = EbpfProbe::load();
    if (!probe) {
        report.missing("kernel programs", probe.error().what);
        return;
    }
    report.ok("kernel programs", "accepted by the verifier and attached");
    if ((*probe)->hook_kind() == HookKind::tcx)
        report.ok("traffic hook", "tcx");
    else
        report.note("traffic hook", "clsact, as TCX came with Linux 6.6: CAP_NET_ADMIN is kept");
    if ((*probe)->subtracts_drops())
        report.ok("qdisc drops", "subtracted from what counts as sent");
    else
        report.note("qdisc drops", "count as sent, as the kernel reports them from Linux 5.18 on");
}

void check_kernel(SourceChoice source, DoctorReport& report) {
    report.section("Counting by eBPF");
    if (source == SourceChoice::procfs) {
        report.note("source", "procfs, by configuration");
        return;
    }
    const auto requirements = ebpf_requirements();
    for (const auto& one : requirements)
        if (one.met)
            report.ok(one.name, one.found);
        else
            report.missing(one.name, one.found, one.remedy);
    if (missing(requirements).empty()) check_programs(report);
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

void check_interfaces(const Config& config, DoctorReport& report) {
    auto monitor = LinkMonitor::open();
    const auto links = monitor ? monitor->list() : Result<std::vector<Link>>(monitor.error());
    if (!links) {
        report.missing("interfaces", links.error().what);
        return;
    }
    const auto selection = select_interfaces(*links, config.interfaces);
    const auto& [selected, left_out, unmatched, reason] = selection;
    for (const auto& link : *links) {
        if (std::ranges::binary_search(selected, link.index))
            report.ok("in the bandwidth limits", fmt::format("{}, {}", link.name, because(reason)));
        const auto left = std::ranges::find(left_out, link.index, &LeftOut::index);
        if (left != left_out.end())
            report.note("left out of the sum",
                        fmt::format("{}, as its frames are counted on {}", link.name,
                                    name_of(*links, left->counted_on)));
    }
    if (selected.empty())
        report.missing("in the bandwidth limits", "no interface", "name one with --interface");
    for (const auto& error : check_names(selection, *links))
        report.missing(error.where, error.what);
    for (const auto& glob : config.interfaces)
        if (!is_plain_name(glob) && select_interfaces(*links, {&glob, 1}).selected.empty())
            report.missing("interface", fmt::format("no interface fits \"{}\" yet", glob));
    for (const auto& error :
         CapacityFollower(link_speed).check(limits_of_all(config), *links, selected))
        report.missing(error.where, error.what);
}

/// What is known of WCS then: its page, for the limits.
WcsState check_wcs(const Config& config, DoctorReport& report) {
    const auto settings = load_wcs_settings(config);
    if (!settings) {
        for (const auto& error : settings.error()) report.missing(error.where, error.what);
        return {};
    }
    boost::asio::io_context io(1);
    WcsPoller poller(io.get_executor(), *settings);
    boost::asio::co_spawn(io, poller.fetch_once(), boost::asio::detached);
    io.run();
    const auto& state = poller.state();
    if (state.fault == WcsFault::none)
        report.ok("WCS", config.wcs_url.text + (config.wcs_url.tls && config.wcs_insecure
                                                    ? ", whose certificate is not verified"
                                                    : ""));
    else
        report.missing("WCS", state.fault_text);
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

void check_limits(const AnswerSettings& config, const WcsState& wcs, DoctorReport& report) {
    std::vector<std::string_view> off;
    for (const auto& limit : config.limits) {
        if (!limit.maximum) {
            off.push_back(limit.name);
            continue;
        }
        const auto source = value_source(limit, wcs);
        const bool is_optional = limit.value == LimitValue::ports;
        const auto name = "limit " + limit.name;
        const auto text =
            fmt::format("{}{}: {}", maximum_text(limit), limit.soft ? ", soft" : "",
                        source.is_there ? source.text : "not checked, " + source.text);
        if (source.is_there)
            report.ok(name, text);
        else if (is_optional)
            report.note(name, text);
        else
            report.missing(name, text);
    }
    if (!off.empty()) report.note("limits that are off", fmt::format("{}", fmt::join(off, ", ")));
}

/// The web file, as far as it could be read.
WebConfig check_web(const Config& config, DoctorReport& report) {
    if (config.web_config_file.empty()) return {};
    auto web = load_web_config(config.web_config_file);
    if (!web) {
        for (const auto& error : web.error())
            report.missing("web.config.file", fmt::format("{}: {}", error.where, error.what));
        return {};
    }
    report.ok("web.config.file",
              fmt::format("{}, {}", web->tls ? "TLS" : "plain HTTP",
                          web->users.empty() ? "no password" : "a password is asked for"));
    for (const auto& warning : web->warnings) report.note("web.config.file", warning);
    return *std::move(web);
}

}  // namespace

int run_doctor(const Config& config, std::ostream& out) {
    spdlog::set_level(spdlog::level::off);
    DoctorReport report(out);
    check_kernel(config.source, report);
    report.section("This node");
    check_interfaces(config, report);
    const auto wcs = check_wcs(config, report);
    check_limits(config, wcs, report);
    for (const auto& profile : config.profiles) {
        report.section("Profile " + profile.name);
        Recount recount;
        recount.count(wcs, profile.counts);
        if (const auto& missing = recount.state().counts.missing; wcs.page_at && !missing.empty())
            report.missing("counts", recount.state().fault_text);
        check_limits(profile, wcs, report);
    }
    report.section("Who asks");
    check_clients(config, report);
    check_files(config, check_web(config, report), report);

    const auto opened = open_probe(config.source);
    report.end(opened ? to_string(opened->probe->source()) : "");
    return opened && !report.lacks_something() ? exit_done : exit_failed;
}

}  // namespace wcs_node_agent
