// SPDX-License-Identifier: Apache-2.0
#include "http/metrics.hpp"

#include <wcs_node_agent/utf8.hpp>
#include <wcs_node_agent/version.hpp>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;
using Names = std::set<std::string_view>;

double seconds(std::chrono::nanoseconds duration) { return Seconds(duration).count(); }

ClientMetric::Label label(std::string name, std::string_view value) {
    return {std::move(name), valid_utf8(value)};
}

/// Families in the order of their making; add() adds a series to the newest.
class Page {
 public:
    void counter(std::string name, std::string help) {
        families_.push_back({std::move(name), std::move(help), MetricType::Counter, {}});
    }
    void gauge(std::string name, std::string help) {
        families_.push_back({std::move(name), std::move(help), MetricType::Gauge, {}});
    }

    void add(double value, Labels labels = {}) {
        MetricFamily& family = families_.back();
        ClientMetric& metric = family.metric.emplace_back();
        metric.label = std::move(labels);
        if (family.type == MetricType::Counter)
            metric.counter.value = value;
        else
            metric.gauge.value = value;
    }
    // A double holds every integer up to 2^53; beyond that it is off by some bytes in 9 PB.
    void add(std::uint64_t count, Labels labels = {}) {
        add(static_cast<double>(count), std::move(labels));
    }
    // The unknown gets no series.
    void add(const std::optional<double>& value, Labels labels = {}) {
        if (value) add(*value, std::move(labels));
    }
    void add(bool holds, Labels labels = {}) { add(holds ? 1.0 : 0.0, std::move(labels)); }

    std::vector<MetricFamily> take() && {
        std::erase_if(families_, [](const MetricFamily& family) { return family.metric.empty(); });
        return std::move(families_);
    }

 private:
    std::vector<MetricFamily> families_;
};

/// What was counted, exactly: it depends on the source, and on what the kernel tells of drops.
std::string network_help(const Snapshot& snapshot, std::string_view what) {
    if (snapshot.source == Source::procfs)
        return fmt::format("{} as /proc/net/dev counts them: joined packets count once.", what);
    return fmt::format(
        "{} on the wire{}.", what,
        what.starts_with("Bytes") ? ", layer 2 header included, frame check sequence not" : "");
}

std::string transmit_help(const Snapshot& snapshot, std::string_view what) {
    auto help = network_help(snapshot, what);
    if (snapshot.source == Source::procfs) return help;
    switch (snapshot.counters.qdisc_drops) {
        case QdiscDrops::count_as_sent:
            return help + " What the queueing discipline drops is included.";
        case QdiscDrops::taken_back_at_enqueue:
            return help +
                   " What the queueing discipline drops on arrival is not included, what CoDel "
                   "drops later is.";
        case QdiscDrops::taken_back:
            return help + " What the queueing discipline drops is not included.";
    }
    return help;
}

void add_network(Page& page, const Snapshot& snapshot) {
    for (const auto& [value, name, description, is_sent] : all_traffic_counters) {
        page.counter(
            fmt::format("wcs_node_network_{}_total", name),
            is_sent ? transmit_help(snapshot, description) : network_help(snapshot, description));
        for (const auto& interface : snapshot.counters.interfaces)
            page.add(interface.traffic.*value, {label("device", interface.name)});
    }

    page.gauge("wcs_node_interface_selected",
               "1 for each interface that the bandwidth limits see.");
    for (const auto& name : snapshot.chosen_interfaces) page.add(1.0, {label("device", name)});

    page.gauge("wcs_node_bandwidth_bits_per_second",
               "Wire rate over the window, summed over the selected interfaces.");
    page.add(snapshot.rates.bits_in, {label("direction", "in")});
    page.add(snapshot.rates.bits_out, {label("direction", "out")});

    page.gauge(
        "wcs_node_bandwidth_peak_bits_per_second",
        "Highest wire rate over 10 ms within the last whole second, of the same interfaces.");
    page.add(snapshot.peaks.bits_in, {label("direction", "in")});
    page.add(snapshot.peaks.bits_out, {label("direction", "out")});
}

void add_cpu(Page& page, const Snapshot& snapshot) {
    const auto each_cpu = [&](std::chrono::nanoseconds CpuCounters::*time) {
        for (const auto& cpu : snapshot.counters.cpus)
            page.add(seconds(cpu.*time), {label("cpu", std::to_string(cpu.cpu))});
    };
    page.counter("wcs_node_cpu_busy_seconds_total",
                 "Time not idle: tasks, interrupts, softirqs and stolen time.");
    each_cpu(&CpuCounters::busy);
    page.counter("wcs_node_cpu_steal_seconds_total", "Time that the hypervisor took.");
    each_cpu(&CpuCounters::steal);
    page.gauge("wcs_node_cpu_utilization_ratio",
               "Busy share over the window, mean over online CPUs: what the cpu limit sees.");
    page.add(snapshot.rates.cpu_utilisation);
}

Names counted_names(const CountNames& names) {
    Names counted(names.hls.begin(), names.hls.end());
    for (const auto* group : {&names.publishers, &names.subscribers})
        for (const auto& protocol : *group) counted.insert(protocol.begin(), protocol.end());
    return counted;
}

void add_wcs_page(Page& page, const Snapshot& snapshot) {
    const WcsState& wcs = snapshot.wcs;
    const auto each_protocol = [&](const auto& counts) {
        for (const Protocol protocol : all_protocols)
            page.add(counts[static_cast<std::size_t>(protocol)],
                     {label("protocol", to_string(protocol))});
    };
    page.gauge("wcs_publishers", "Streams that WCS takes in.");
    each_protocol(wcs.counts.publishers);
    page.gauge("wcs_subscribers", "Streams that WCS sends out.");
    each_protocol(wcs.counts.subscribers);
    page.gauge("wcs_hls_streams", "Streams that WCS serves as HLS.");
    page.add(wcs.counts.hls);

    page.gauge("wcs_stat", "Every other number on the WCS statistics page, under its name there.");
    const Names counted = counted_names(snapshot.count_names);
    for (const auto& [key, value] : wcs.page.numbers)
        if (!counted.contains(key)) page.add(value, {label("key", key)});
}

void add_wcs(Page& page, const Snapshot& snapshot) {
    const WcsState& wcs = snapshot.wcs;
    if (wcs.asked) {
        page.gauge("wcs_up", "1 if WCS answered the last time it was asked.");
        page.add(wcs.up());
        page.gauge("wcs_fault", "1 for what was wrong with the last answer of WCS.");
        for (const WcsFault fault : all_wcs_faults)
            page.add(wcs.fault == fault, {label("reason", to_string(fault))});
        page.gauge("wcs_fetch_duration_seconds", "How long the last fetch of the page took.");
        page.add(seconds(wcs.fetch_duration));
    }
    page.counter("wcs_fetch_failures_total",
                 "Fetches of the page that gave nothing to count from.");
    for (const WcsFault fault : all_wcs_faults)
        page.add(wcs.faults_total[static_cast<std::size_t>(fault)],
                 {label("reason", to_string(fault))});

    if (!wcs.page_at) return;
    const auto age = snapshot.at - *wcs.page_at;
    page.gauge("wcs_stat_age_seconds", "Age of the last page that could be read.");
    page.add(seconds(age));
    if (age < snapshot.stale_after) add_wcs_page(page, snapshot);
}

void add_verdict(Page& page, const Verdict& verdict) {
    page.gauge("wcs_node_limit",
               "The greatest allowed value: cpu in percent, band_in and band_out in Mbit/s, the "
               "others in streams.");
    for (const Limit limit : all_limits)
        page.add(verdict.readings[limit].maximum, {label("limit", to_string(limit))});
    page.gauge("wcs_node_limit_utilization_ratio", "Value of a limit divided by its maximum.");
    for (const Limit limit : all_limits)
        page.add(verdict.readings[limit].utilisation, {label("limit", to_string(limit))});
    page.gauge("wcs_node_weight_ratio", "Share of its configured weight that HAProxy is told.");
    page.add(verdict.weight / 100.0);
    page.gauge("wcs_node_state", "1 for the state that HAProxy is told.");
    for (const NodeState state : all_node_states)
        page.add(verdict.state == state, {label("state", to_string(state))});
}

void add_agent(Page& page, const Snapshot& snapshot) {
    page.gauge("wcs_node_agent_build_info", "1, with the version and compiler as labels.");
    page.add(1.0, {label("version", version), label("compiler", __VERSION__)});
    page.gauge("wcs_node_agent_source", "1 for where traffic and CPU figures come from.");
    for (const Source source : {Source::ebpf, Source::procfs})
        page.add(snapshot.source == source, {label("source", to_string(source))});
    page.counter("wcs_node_agent_checks_total", "Agent checks answered, by what they were told.");
    for (const NodeState state : all_node_states)
        page.add(snapshot.agent.checks[static_cast<std::size_t>(state)],
                 {label("reply", to_string(state))});
    page.counter("wcs_node_agent_rejected_connections_total",
                 "Connections closed without a byte: source not allowed, or too many at once.");
    page.add(snapshot.agent.rejected_connections);
    page.counter("wcs_node_agent_displaced_connections_total",
                 "Connections that made room for newer ones: too many from one source, or in all.");
    page.add(snapshot.agent.displaced_connections);
    page.counter("wcs_node_agent_scrapes_total", "Times that the metrics were served.");
    page.add(snapshot.agent.scrapes);
    page.counter("wcs_node_agent_sample_failures_total",
                 "Readings of the traffic and CPU counters that failed.");
    page.add(snapshot.agent.sample_failures);
    page.counter("wcs_node_agent_unplaced_packets_total",
                 "Frames not counted, since their interface found no room in the kernel's maps.");
    page.add(snapshot.counters.unplaced_packets);
}

}  // namespace

std::vector<MetricFamily> metric_families(const Snapshot& snapshot) {
    Page page;
    add_network(page, snapshot);
    add_cpu(page, snapshot);
    add_wcs(page, snapshot);
    add_verdict(page, snapshot.verdict);
    add_agent(page, snapshot);
    return std::move(page).take();
}

MetricFamily sample_age_family(Seconds age) {
    Page page;
    page.gauge("wcs_node_agent_sample_age_seconds",
               "Age of the sample that every other metric here was made from.");
    page.add(age.count());
    return std::move(page).take().front();
}

}  // namespace wcs_node_agent
