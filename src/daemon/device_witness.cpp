// SPDX-License-Identifier: Apache-2.0
#include "daemon/device_witness.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

/// A card's driver may ask its firmware for them once in a while, and who sums up over cards has
/// them from there.
DeviceTraits traits_of(const Link& link) {
    return {.updates_late = link.physical || link.kind == "bond" || link.kind == "team" ||
                            link.kind == "net_failover",
            .is_tunnel = link.tunnel};
}

void log(const CounterChange& changed, Clock::time_point now) {
    const auto& change = changed.change;
    const auto what = changed.direction->name;
    if (!change.to_device)
        spdlog::info("interface {}: what is {} is counted by {} again", changed.name, what,
                     to_string(Source::ebpf));
    else if (change.comparison == Comparison::idle)
        spdlog::warn(
            "interface {}: what is {} is taken from its own counters, which are less exact",
            changed.name, what);
    else
        spdlog::warn(
            "interface {}: {} frames with {} bytes were {} in {:.1f} s by its own counters, {} "
            "with "
            "{} by {}: its own, which are less exact, are taken until both agree",
            changed.name, change.device.packets, change.device.bytes, what,
            Seconds(now - change.since).count(), change.ours.packets, change.ours.bytes,
            to_string(Source::ebpf));
}

}  // namespace

Result<RawCounters> DeviceWitness::read(Probe& probe, std::span<const Link> links,
                                        std::span<const std::uint32_t> selected,
                                        RateWindow& window) {
    if (probe.source() != Source::ebpf) return probe.read();  // it reads the devices' themselves
    // Before ours: what comes in between is not missing there.
    const auto readings = read_devices(links, witness_.due(selected));
    auto counters = probe.read();
    if (!counters) return counters;
    const auto again = [&](std::uint32_t index, const Direction& direction) {
        return read_again(index, direction);
    };
    for (const auto& changed : witness_.correct(*counters, readings, again)) {
        const auto& change = changed.change;
        log(changed, counters->at);
        if (change.missed != Flow{}) {
            Traffic missed;
            missed.*changed.direction->bytes = change.missed.bytes;
            missed.*changed.direction->packets = change.missed.packets;
            window.add_missed(changed.index, missed, change.since, counters->at);
        }
        if (change.to_device && change.comparison == Comparison::blind) probe.repair(changed.index);
    }
    return counters;
}

std::vector<DeviceReading> DeviceWitness::read_devices(std::span<const Link> links,
                                                       std::span<const std::uint32_t> indexes) {
    std::vector<DeviceReading> readings;
    if (!std::exchange(is_opened_, true)) {
        auto opened = DeviceCounters::open();
        if (opened)
            devices_ = std::move(opened).value();
        else
            spdlog::warn("what eBPF counts is not compared with the interfaces' own counters: {}",
                         opened.error().what);
    }
    if (!devices_) return readings;
    for (const auto index : indexes) {
        const auto* link = find_link(links, index);
        const auto* history = link ? read_device(index) : nullptr;
        if (history)
            readings.push_back({.index = index,
                                .name = link->name,
                                .traffic = history->total(),
                                .since = history->since(),
                                .traits = traits_of(*link)});
    }
    return readings;
}

/// Null: it has gone.
const MonotonicTraffic* DeviceWitness::read_device(std::uint32_t index) {
    const auto traffic = devices_->read(index);
    if (!traffic) {
        history_.erase(index);
        return nullptr;
    }
    const auto now = Clock::now();
    auto& history = history_.try_emplace(index, *traffic, now).first->second;
    history.advance(*traffic, now);
    return &history;
}

std::optional<DeviceFlow> DeviceWitness::read_again(std::uint32_t index,
                                                    const Direction& direction) {
    const auto* history = read_device(index);
    if (!history) return std::nullopt;
    const auto& traffic = history->total();
    DeviceFlow flow{.counted = {traffic.*direction.bytes, traffic.*direction.packets}};
    if (direction.bytes == &Traffic::transmit_bytes) {
        const auto queue = devices_->queue(index);
        flow.queued = {queue.bytes, queue.packets};
    }
    return flow;
}

bool are_counted_by_source(const RawCounters& counters, std::span<const std::uint32_t> indexes,
                           Clock::time_point since) {
    return std::ranges::all_of(indexes, [&](std::uint32_t index) {
        const auto found =
            std::ranges::lower_bound(counters.interfaces, index, {}, &InterfaceCounters::index);
        return found != counters.interfaces.end() && found->index == index &&
               found->counted_by == CountedBy::source && found->since <= since;
    });
}

}  // namespace wcs_node_agent
