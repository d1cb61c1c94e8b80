// SPDX-License-Identifier: Apache-2.0
#include "http/metrics.hpp"

#include <wcs_node_agent/version.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

using Writer = ExpositionWriter;
using Metrics = std::vector<Metric>;
using Labels = std::vector<std::string_view>;
using Samples = std::function<void(const Snapshot&, Writer&)>;

Metric gauge(std::string name, std::string_view unit, Labels labels, std::string help,
             Samples samples) {
    return {{std::move(name), MetricType::gauge, unit, std::move(labels), std::move(help)},
            std::move(samples)};
}

Metric counter(std::string name, std::string_view unit, Labels labels, std::string help,
               Samples samples) {
    return {{std::move(name), MetricType::counter, unit, std::move(labels), std::move(help)},
            std::move(samples)};
}

/// The kernel's counters differ by source, and by which drops of the queueing discipline it
/// reports.
std::string_view receive_note(const Snapshot& node) {
    return node.source == Source::procfs
               ? "As the interface's own counters have it: a GRO or GSO aggregate counts once."
               : "";
}

std::string_view transmit_note(const Snapshot& node) {
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
        gauge("wcs_node_bandwidth_peak_bytes_per_second", "bytes/s", {"direction"},
              "Highest wire rate over 10 ms within the last whole second, in or out, of the same "
              "interfaces and frames.",
              [](const Snapshot& node, Writer& out) {
                  out.add(in_bytes(node.peaks.bits_in), {"in"});
                  out.add(in_bytes(node.peaks.bits_out), {"out"});
              }),
    };
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
              "Busy share over the window, mean over online CPUs: the value of the cpu limit.",
              [](const Snapshot& node, Writer& out) { out.add(node.rates.cpu_utilisation); }),
    };
}

/// The page's figures count as long as they are younger than stale_after.
bool has_fresh_page(const Snapshot& node) {
    return node.wcs.page_at && node.at - *node.wcs.page_at < node.stale_after;
}

template <class Counts>
void add_counts(const Snapshot& node, const Counts& counts, Writer& out) {
    if (!has_fresh_page(node)) return;
    for (const Protocol protocol : all_protocols)
        out.add(counts[static_cast<std::size_t>(protocol)], {to_string(protocol)});
}

/// The page's numbers that are not part of a count.
void add_stats(const Snapshot& node, Writer& out) {
    if (!has_fresh_page(node)) return;
    const auto& [publishers, subscribers, hls] = node.count_names;
    std::set<std::string_view> counted(hls.begin(), hls.end());
    for (const auto* group : {&publishers, &subscribers})
        for (const auto& names : *group) counted.insert(names.begin(), names.end());
    for (const auto& [key, value] : node.wcs.page.numbers)
        if (!counted.contains(key)) out.add(value, {key});
}

Metrics wcs_metrics() {
    return {
        gauge("wcs_up", "", {}, "1 if the last fetch of the WCS statistics page got one.",
              [](const Snapshot& node, Writer& out) {
                  if (node.wcs.asked) out.add(node.wcs.up());
              }),
        gauge(
            "wcs_fault", "", {"reason"},
            "1 for the reason why the last fetch of the statistics page failed, 0 for the others.",
            [](const Snapshot& node, Writer& out) {
                if (!node.wcs.asked) return;
                for (const WcsFault fault : all_wcs_faults)
                    out.add(node.wcs.fault == fault, {to_string(fault)});
            }),
        gauge("wcs_fetch_duration_seconds", "seconds", {},
              "Duration of the last fetch of the statistics page.",
              [](const Snapshot& node, Writer& out) {
                  if (node.wcs.asked) out.add(node.wcs.fetch_duration);
              }),
        counter("wcs_fetch_failures_total", "", {"reason"},
                "Failed fetches of the statistics page.",
                [](const Snapshot& node, Writer& out) {
                    for (const WcsFault fault : all_wcs_faults)
                        out.add(node.wcs.faults_total[static_cast<std::size_t>(fault)],
                                {to_string(fault)});
                }),
        gauge("wcs_stat_age_seconds", "seconds", {},
              "Age of the last statistics page that could be read.",
              [](const Snapshot& node, Writer& out) {
                  if (node.wcs.page_at) out.add(node.at - *node.wcs.page_at);
              }),
        gauge("wcs_publishers", "streams", {"protocol"}, "Streams published to WCS.",
              [](const Snapshot& node, Writer& out) {
                  add_counts(node, node.wcs.counts.publishers, out);
              }),
        gauge("wcs_subscribers", "streams", {"protocol"}, "Streams played from WCS.",
              [](const Snapshot& node, Writer& out) {
                  add_counts(node, node.wcs.counts.subscribers, out);
              }),
        gauge("wcs_hls_streams", "streams", {}, "Streams that WCS serves as HLS.",
              [](const Snapshot& node, Writer& out) {
                  if (has_fresh_page(node)) out.add(node.wcs.counts.hls);
              }),
        gauge("wcs_stat", "", {"key"},
              "Every other number on the WCS statistics page, under its name there; "
              "wcs_max_stats bounds how many.",
              add_stats),
    };
}

/// How many of the exported unit one of the limit's own is.
double base_units(Limit limit) {
    if (limit == Limit::cpu) return 0.01;
    return is_wcs_count(limit) ? 1 : 1e6 / 8;
}

Metrics limit_metrics() {
    return {
        gauge(
            "wcs_node_limit", "", {"limit"},
            "Greatest allowed value: cpu as a ratio, band_in and band_out in bytes per second, the "
            "others in streams.",
            [](const Snapshot& node, Writer& out) {
                for (const Limit limit : all_limits)
                    if (const auto& maximum = node.verdict.readings[limit].maximum)
                        out.add(*maximum * base_units(limit), {to_string(limit)});
            }),
        gauge("wcs_node_limit_utilization_ratio", "ratio", {"limit"},
              "Value of a limit divided by its maximum; the highest decides the weight.",
              [](const Snapshot& node, Writer& out) {
                  for (const Limit limit : all_limits)
                      out.add(node.verdict.readings[limit].utilisation, {to_string(limit)});
              }),
        gauge("wcs_node_limit_unknown", "", {"limit"},
              "1 for a limit whose value is not known, 0 for the others that are checked.",
              [](const Snapshot& node, Writer& out) {
                  for (const Limit limit : all_limits) {
                      const auto& reading = node.verdict.readings[limit];
                      if (reading.maximum || !reading.unknown.empty())
                          out.add(!reading.unknown.empty(), {to_string(limit)});
                  }
              }),
        gauge("wcs_node_weight_ratio", "ratio", {},
              "Share of its configured weight that is reported to HAProxy.",
              [](const Snapshot& node, Writer& out) { out.add(node.verdict.weight / 100.0); }),
        gauge("wcs_node_state", "", {"state"},
              "1 for the state that is reported to HAProxy, 0 for the others.",
              [](const Snapshot& node, Writer& out) {
                  for (const NodeState state : all_node_states)
                      out.add(node.verdict.state == state, {to_string(state)});
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
                [](const Snapshot& node, Writer& out) {
                    for (const NodeState state : all_node_states)
                        out.add(node.agent.checks[static_cast<std::size_t>(state)],
                                {to_string(state)});
                }),
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
        append("node", rate_metrics());
        append("node", cpu_metrics());
        append("wcs", wcs_metrics());
        append("limits", limit_metrics());
        append("agent", agent_metrics());
        return all;
    }();
    return table;
}

std::string metrics_text(const Snapshot& snapshot, TextFormat format) {
    Writer out(format);
    for (const Metric& metric : metrics()) {
        if (!metric.samples) continue;
        out.begin(metric.family, metric.note ? metric.note(snapshot) : "");
        metric.samples(snapshot, out);
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
