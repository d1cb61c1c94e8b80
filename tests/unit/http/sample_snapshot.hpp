// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "haproxy/agent_reply.hpp"
#include "unit/http/reading.hpp"

#include <wcs_node_agent/snapshot.hpp>

#include <memory>

namespace wcs_node_agent::test {

/// A node at work, with every figure known: 10.5 s after the agent's start, on a page 0.5 s old.
inline Snapshot busy_node() {
    using namespace std::chrono_literals;
    Snapshot snapshot;
    snapshot.started = Clock::time_point(100s);
    snapshot.at = snapshot.started + 10500ms;
    snapshot.wall = std::chrono::system_clock::time_point(1700000000125ms);
    snapshot.source = Source::ebpf;
    snapshot.counters.at = snapshot.at;
    snapshot.counters.interfaces = {{2, "eth0", {1000, 10, 2000, 20}},
                                    {3, "eth1", {300, 3, 400, 4}}};
    snapshot.counters.cpus = {{0, 2500ms, 100ms}, {1, 1250ms, 0ms}};
    snapshot.counters.unplaced_packets = 7;
    snapshot.counters.dropped_packets = {{"no_socket", 5}};
    snapshot.counters.programs = {{"count_receive", 2, 40, 1500us}, {"count_drop", 1, {}, {}}};
    snapshot.selected_interfaces = {"eth0"};
    snapshot.rates = {{40e6, 75e6, 0.25, 5000, 8000, 0.5, 0.003}};
    snapshot.receive = {UdpCounters{9000, 30}, SoftnetCounters{2, 8}, ""};
    snapshot.stale_after = 10s;

    WcsState& wcs = snapshot.wcs;
    wcs.asked = true;
    wcs.page_at = snapshot.at - 500ms;
    wcs.fetch_duration = 4ms;
    WcsPage page;
    page.numbers = {{"streams_webrtc_in", 5}, {"streams_hls", 3}, {"connections", 12.5}};
    wcs.page = std::make_shared<WcsPage>(std::move(page));
    wcs.counts = {{5, 2, 0}, {40, 0, 1}, 3, ""};
    wcs.publishers = HeldCount{7, *wcs.page_at};
    wcs.subscribers = HeldCount{41, *wcs.page_at};
    wcs.hls = HeldCount{3, *wcs.page_at};
    wcs.faults_total[static_cast<std::size_t>(WcsFault::timeout)] = 2;

    Verdict& verdict = snapshot.verdict;
    verdict.weight = {.percent = 25,
                      .raw = 37.5,
                      .recent = 5,
                      .added = 0.125,
                      .capacity = 40,
                      .reference = 50,
                      .effect = 1.75,
                      .dispersion = 0.625,
                      .level = 0.5625,
                      .trend = 0.875,
                      .held = true,
                      .ramp = 0.75,
                      .balancers = 2};
    verdict.changed = {.at = snapshot.at - 8s,
                       .wall = snapshot.wall - 8s,
                       .reason = "no longer down: cpu 91.0 of 90"};
    verdict.readings = {
        reading("cpu", 25, 90), reading("publishers", 7, 100), reading("subscribers", 41, 100),
        reading("hls", 3, {}),  reading("band_in", 40, 100),   reading("band_out", 75, 100),
    };
    verdict.readings.back().share = 80;
    verdict.bottleneck = "band_out";

    snapshot.process = {.cpu_time = 1500ms,
                        .virtual_bytes = 4096,
                        .resident_bytes = 2048,
                        .open_descriptors = 12,
                        .max_descriptors = 1024,
                        .started = std::chrono::system_clock::time_point(1'700'000'000s + 250ms)};
    snapshot.agent.checks = {11, 1, 0, 0};
    snapshot.agent.rejected_connections = 4;
    snapshot.agent.displaced_connections = 6;
    snapshot.agent.scrapes = 6;
    return snapshot;
}

/// A node of which nothing could be measured yet.
inline Snapshot blind_node() {
    Snapshot snapshot;
    snapshot.at = snapshot.started = Clock::now();
    snapshot.verdict.readings = no_readings();
    return snapshot;
}

inline std::shared_ptr<const Snapshot> publishable(Snapshot snapshot) {
    snapshot.agent_reply = agent_reply(snapshot.verdict);
    return std::make_shared<const Snapshot>(std::move(snapshot));
}

/// As busy_node(), sampled now.
inline std::shared_ptr<const Snapshot> fresh_snapshot() {
    Snapshot snapshot = busy_node();
    snapshot.at = Clock::now();
    return publishable(std::move(snapshot));
}

}  // namespace wcs_node_agent::test
