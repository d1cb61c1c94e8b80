// SPDX-License-Identifier: Apache-2.0
#include "http/metrics.hpp"

#include "http/metric_rows.hpp"

#include <wcs_node_agent/version.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

/// The kernel's counters differ by source, and by which drops of the queueing discipline it
/// reports.
std::string receive_note(const Snapshot& node) {
    return node.source == Source::procfs
               ? "As the interface's own counters have it: a GRO or GSO aggregate counts once."
               : "";
}

std::string transmit_note(const Snapshot& node) {
    if (node.source == Source::procfs) return receive_note(node);
    switch (node.counters.qdisc_drops) {
        case QdiscDrops::count_as_sent:
            return "What the queueing discipline drops is included.";
        case QdiscDrops::subtracted_at_enqueue:
            return "What the queueing discipline drops on arrival is not included, what CoDel "
                   "drops later is.";
        case QdiscDrops::subtracted:
            return "What the queueing discipline drops is not included.";
    }
    return "";
}

Metric traffic_metric(const TrafficCounter& row) {
    const bool is_bytes = row.name.ends_with("_bytes");
    Metric metric =
        counter(fmt::format("wcs_node_network_{}_total", row.name), is_bytes ? "bytes" : "frames",
                {"device"},
                fmt::format("{} on the wire{}.", row.description,
                            is_bytes ? ", layer 2 header included, frame check sequence not" : ""),
                [value = row.value](const Snapshot& node, Writer& out) {
                    for (const auto& interface : node.counters.interfaces)
                        out.add(interface.traffic.*value, {interface.name});
                });
    metric.note = row.is_sent ? transmit_note : receive_note;
    return metric;
}

Metrics traffic_metrics() {
    Metrics rows;
    for (const auto& row : all_traffic_counters) rows.push_back(traffic_metric(row));
    return rows;
}

Metrics drop_metrics() {
    return {counter("wcs_node_network_dropped_packets_total", "frames", {"reason"},
                    "Frames of the selected interfaces that the kernel dropped, received or to be "
                    "sent, by the reason that it gives; only reasons that occurred.",
                    [](const Snapshot& node, Writer& out) {
                        for (const auto& [reason, frames] : node.counters.dropped_packets)
                            out.add(frames, {reason});
                    })};
}

std::optional<double> in_bytes(std::optional<double> bits) {
    if (!bits) return std::nullopt;
    return *bits / 8;
}

Metrics rate_metrics() {
    return {
        gauge("wcs_node_interface_selected", "", {"device"},
              "1 for each interface that is included in the bandwidth limits.",
              [](const Snapshot& node, Writer& out) {
                  for (const auto& name : node.selected_interfaces) out.add(1.0, {name});
              }),
        gauge(
            "wcs_node_interface_fallback", "", {"device"},
            "1 for a selected interface of which the figures are its own counters, which are less "
            "exact, since the kernel programs do not see its frames or count others; 0 for the "
            "other selected ones.",
            [](const Snapshot& node, Writer& out) {
                for (const auto& one : node.counters.interfaces)
                    if (std::ranges::find(node.selected_interfaces, one.name) !=
                        node.selected_interfaces.end())
                        out.add(one.counted_by == CountedBy::device, {one.name});
            }),
        gauge("wcs_node_bandwidth_bytes_per_second", "bytes/s", {"direction"},
              "Mean wire rate over the window, in or out, summed over the selected interfaces, "
              "wire_overhead included for each frame. Absent unless all of them were counted "
              "throughout.",
              [](const Snapshot& node, Writer& out) {
                  out.add(in_bytes(node.rates.bits_in), {"in"});
                  out.add(in_bytes(node.rates.bits_out), {"out"});
              }),
    };
}

std::string bucket_note(const Snapshot& node) {
    return fmt::format("A bucket is {:.3g} ms.", Seconds(node.peaks.bucket).count() * 1e3);
}

Metrics peak_metrics() {
    Metrics rows{
        gauge("wcs_node_bandwidth_peak_bytes_per_second", "bytes/s", {"direction"},
              "Highest wire rate over one bucket of time within the last second, in or out, of the "
              "same interfaces and frames.",
              [](const Snapshot& node, Writer& out) {
                  out.add(in_bytes(node.peaks.bits_in), {"in"});
                  out.add(in_bytes(node.peaks.bits_out), {"out"});
              }),
        gauge("wcs_node_bandwidth_over_limit_ratio", "ratio", {"direction"},
              "Share of the last second's buckets of time in which the wire rate was above band_in "
              "or band_out. Absent where that is not checked.",
              [](const Snapshot& node, Writer& out) {
                  out.add(node.peaks.over_limit_in, {"in"});
                  out.add(node.peaks.over_limit_out, {"out"});
              }),
    };
    for (auto& row : rows) row.note = bucket_note;
    return rows;
}

Samples each_cpu(std::chrono::nanoseconds CpuCounters::*time) {
    return [time](const Snapshot& node, Writer& out) {
        for (const auto& cpu : node.counters.cpus) out.add(cpu.*time, {fmt::to_string(cpu.cpu)});
    };
}

Metrics cpu_metrics() {
    return {
        counter("wcs_node_cpu_busy_seconds_total", "seconds", {"cpu"},
                "Time that the CPU was not idle: tasks, interrupts, softirqs and stolen time.",
                each_cpu(&CpuCounters::busy)),
        counter("wcs_node_cpu_steal_seconds_total", "seconds", {"cpu"},
                "Stolen CPU time, as the kernel reports it.", each_cpu(&CpuCounters::steal)),
        gauge("wcs_node_cpu_utilization_ratio", "ratio", {},
              "Busy share over cpu_window, mean over online CPUs: the value of the cpu limit.",
              [](const Snapshot& node, Writer& out) { out.add(node.rates.cpu_utilisation); }),
        gauge("wcs_node_cpu_max_utilization_ratio", "ratio", {},
              "Busy share of the busiest CPU over 10 s: the value of the cpu_core limit.",
              [](const Snapshot& node, Writer& out) { out.add(node.rates.cpu_max_utilisation); }),
    };
}

template <class Counters>
auto of_receiving(std::optional<Counters> ReceiveCounters::*group, std::uint64_t Counters::*value) {
    return [group, value](const Snapshot& node, Writer& out) {
        if (const auto& counters = node.receive.*group) out.add((*counters).*value);
    };
}

Metrics receive_metrics() {
    return {
        counter("wcs_node_udp_receive_buffer_errors_total", "datagrams", {},
                "UDP datagrams lost as the buffer of their socket was full, in the network "
                "namespace of the agent.",
                of_receiving(&ReceiveCounters::udp, &UdpCounters::receive_buffer_errors)),
        counter("wcs_node_softnet_dropped_total", "frames", {},
                "Frames lost as a CPU's queue in front of the protocols was full, on the whole "
                "host.",
                of_receiving(&ReceiveCounters::softnet, &SoftnetCounters::dropped)),
        counter("wcs_node_softnet_time_squeeze_total", "", {},
                "Turns of receiving that a CPU ended with frames left to be handled, on the whole "
                "host.",
                of_receiving(&ReceiveCounters::softnet, &SoftnetCounters::time_squeeze)),
    };
}

double in_base_unit(double value, LimitUnit unit) {
    switch (unit) {
        case LimitUnit::percent:
            return value / 100;
        case LimitUnit::megabits_per_second:
            return value * 1e6 / 8;
        case LimitUnit::streams:
        case LimitUnit::number:
            break;
    }
    return value;
}

Metrics limit_metrics() {
    return {
        answer_gauge(
            "wcs_node_limit", "", {"limit"},
            "Greatest allowed value: percentages as a ratio, bandwidth in bytes per second, "
            "streams and numbers of the page as they are.",
            [](const Answer& node, Writer& out) {
                for (const auto& reading : node.verdict.readings)
                    if (reading.maximum)
                        out.add(in_base_unit(*reading.maximum, reading.unit), {reading.name});
            }),
        answer_gauge("wcs_node_limit_utilization_ratio", "ratio", {"limit"},
                     "Value of a limit divided by its maximum; the highest decides the weight.",
                     [](const Answer& node, Writer& out) {
                         for (const auto& reading : node.verdict.readings)
                             out.add(reading.utilisation, {reading.name});
                     }),
        answer_gauge("wcs_node_limit_unknown", "", {"limit"},
                     "1 for a limit whose value is not known, 0 for the others that are checked.",
                     [](const Answer& node, Writer& out) {
                         for (const auto& reading : node.verdict.readings)
                             if (reading.maximum || !reading.unknown.empty())
                                 out.add(!reading.unknown.empty(), {reading.name});
                     }),
    };
}

Metric agent_metric(const AgentCounter& row) {
    return counter(
        fmt::format("wcs_node_agent_{}_total", row.name), "", {}, std::string(row.help),
        [value = row.value](const Snapshot& node, Writer& out) { out.add(node.agent.*value); });
}

template <class T>
auto of_each_program(T ProgramCounters::*value) {
    return [value](const Snapshot& node, Writer& out) {
        for (const auto& program : node.counters.programs) out.add(program.*value, {program.name});
    };
}

void add_checks(const CheckCounters& counters, Writer& out) {
    for (const NodeState state : all_node_states)
        out.add(counters.checks[static_cast<std::size_t>(state)], {to_string(state)});
}

Metrics agent_metrics() {
    Metrics rows{
        {{"wcs_node_agent_build_info",
          MetricType::info,
          "",
          {"version", "compiler"},
          "1, with the version of the agent and its compiler as labels."},
         [](const Snapshot&, Writer& out) {
             out.add(1.0, {version, __VERSION__});
         }},
        gauge("wcs_node_agent_source", "", {"source"},
              "1 for the source of the traffic and CPU figures, ebpf or procfs, 0 for the other.",
              [](const Snapshot& node, Writer& out) {
                  for (const Source source : {Source::ebpf, Source::procfs})
                      out.add(node.source == source, {to_string(source)});
              }),
        counter("wcs_node_agent_checks_total", "", {"reply"},
                "Agent checks answered on agent_listen, by the state in the reply.",
                [](const Snapshot& node, Writer& out) { add_checks(node.agent, out); }),
    };
    rows.back().of_profile = [](const ProfileAnswer& profile, Writer& out) {
        add_checks(profile.checks, out);
    };
    for (const auto& row : all_agent_counters) rows.push_back(agent_metric(row));
    rows.push_back(counter(
        "wcs_node_agent_unplaced_packets_total", "frames", {},
        "Frames not counted because the kernel's maps had no free slot for their interface.",
        [](const Snapshot& node, Writer& out) { out.add(node.counters.unplaced_packets); }));
    rows.push_back(
        gauge("wcs_node_agent_program_attached", "", {"program"},
              "Interfaces or tracepoints that the agent's kernel program is attached to.",
              of_each_program(&ProgramCounters::attached)));
    rows.push_back(counter("wcs_node_agent_program_runs_total", "", {"program"},
                           "Runs of a kernel program, while kernel.bpf_stats_enabled is 1.",
                           of_each_program(&ProgramCounters::runs)));
    rows.push_back(counter("wcs_node_agent_program_run_seconds_total", "seconds", {"program"},
                           "Time that a kernel program ran, while kernel.bpf_stats_enabled is 1.",
                           of_each_program(&ProgramCounters::run_time)));
    rows.push_back(gauge("wcs_node_agent_sample_age_seconds", "seconds", {},
                         "Age of the sample that every other metric here was made from.", {}));
    return rows;
}

}  // namespace

const std::vector<Metric>& metrics() {
    static const Metrics table = [] {
        Metrics all;
        const auto append = [&all](std::string_view group, Metrics rows) {
            for (Metric& row : rows) row.group = group;
            std::ranges::move(rows, std::back_inserter(all));
        };
        append("node", traffic_metrics());
        append("node", drop_metrics());
        append("node", rate_metrics());
        append("node", peak_metrics());
        append("node", cpu_metrics());
        append("node", receive_metrics());
        append("wcs", wcs_metrics());
        append("limits", limit_metrics());
        append("weight", weight_metrics());
        append("process", process_metrics());
        append("agent", agent_metrics());  // its last row is the page's last
        return all;
    }();
    return table;
}

std::string metrics_text(const Snapshot& snapshot, TextFormat format) {
    Writer out(format);
    for (const Metric& metric : metrics()) {
        if (!metric.samples) continue;
        const bool has_profiles = metric.of_profile && !snapshot.profiles.empty();
        const auto note = metric.note    ? metric.note(snapshot)
                          : has_profiles ? "With the label profile: of that profile."
                                         : "";
        out.begin(metric.family, note);
        metric.samples(snapshot, out);
        if (!has_profiles) continue;
        for (const auto& profile : snapshot.profiles) {
            out.set_common_label("profile", profile.name);
            metric.of_profile(profile, out);
        }
        out.set_common_label({}, {});
    }
    return std::move(out).take();
}

std::string sample_age_text(Clock::duration age, TextFormat format) {
    Writer out(format);
    out.begin(metrics().back().family);
    out.add(age);
    out.end();
    return std::move(out).take();
}

}  // namespace wcs_node_agent
