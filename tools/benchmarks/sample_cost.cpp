// SPDX-License-Identifier: Apache-2.0
// What one sample costs with the interfaces of this network namespace, and the page of metrics that
// the first scrape after it renders: CPU time of each step from the kernel's counters to the bytes.
//
// --calls N. Prints JSON, microseconds: follow (once, wall clock), read, judge, render.
#include "http/metrics.hpp"
#include "kernel/ebpf_probe.hpp"
#include "kernel/links.hpp"
#include "load/cpu_window.hpp"
#include "load/policy.hpp"
#include "load/rate_window.hpp"
#include "measure.hpp"

#include <iostream>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent::bench {

namespace {

using namespace std::chrono_literals;

template <class T>
T value_of(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().what);
    return std::move(result).value();
}

/// A page as a node at work has it.
WcsState wcs_at_work(Clock::time_point at) {
    WcsState wcs;
    wcs.asked = true;
    wcs.page_at = at;
    WcsPage page;
    for (int i = 0; i < 60; ++i) page.numbers["streams_key_" + std::to_string(i)] = i * 1.5;
    wcs.page = std::make_shared<WcsPage>(std::move(page));
    wcs.counts = {{5, 2, 0}, {40, 0, 1}, 3, ""};
    wcs.publishers = HeldCount{7, at};
    wcs.subscribers = HeldCount{41, at};
    wcs.hls = HeldCount{3, at};
    return wcs;
}

double microseconds(std::int64_t ns) { return static_cast<double>(ns) / 1e3; }

nlohmann::json run(const Options& options) {
    spdlog::set_level(spdlog::level::off);
    const int calls = options.number("calls");
    const auto links = value_of(value_of(LinkMonitor::open()).list());
    const auto probe = value_of(EbpfProbe::load());
    const auto before = wall_ns();
    probe->set_links(links, {});
    while (probe->attach_next() != Pending::none) {
    }
    const auto follow = wall_ns() - before;

    const auto read = cost_ns(calls, [&] { value_of(probe->read()); });

    std::vector<std::uint32_t> selected;
    for (const auto& link : links)
        if (!link.loopback) selected.push_back(link.index);
    Snapshot snapshot;
    snapshot.counters = value_of(probe->read());
    snapshot.at = snapshot.started = snapshot.counters.at;
    snapshot.wcs = wcs_at_work(snapshot.at);
    PolicySettings settings{.limits = default_limits()};
    named(settings.limits, "cpu").maximum = 90;
    named(settings.limits, "band_out").maximum = 100;
    settings.stale_after = 10s;
    RateWindow window(2s);
    CpuWindow cpu_window(2s);
    Policy policy;
    auto reading = snapshot.counters;
    const auto judge = cost_ns(calls, [&] {
        reading.at += 250ms;
        window.add(reading);
        cpu_window.add(reading);
        snapshot.rates = window.rates(selected);
        cpu_window.set(snapshot.rates);
        snapshot.verdict =
            policy.decide(settings, {.rates = snapshot.rates}, snapshot.wcs, reading.at);
    });

    for (const auto& link : links)
        if (!link.loopback) snapshot.selected_interfaces.push_back(link.name);
    std::string page;
    const auto render =
        cost_ns(calls, [&] { page = metrics_text(snapshot, TextFormat::prometheus); });

    return {{"interfaces", snapshot.counters.interfaces.size()},
            {"follow", microseconds(follow)},
            {"read", microseconds(read)},
            {"judge", microseconds(judge)},
            {"render", microseconds(render)},
            {"page_bytes", page.size()}};
}

}  // namespace

}  // namespace wcs_node_agent::bench

int main(int argc, char** argv) {
    return wcs_node_agent::bench::report(wcs_node_agent::bench::run, {argc, argv});
}
