// SPDX-License-Identifier: Apache-2.0
#include "load/witness.hpp"

#include <utility>

namespace wcs_node_agent {

namespace {

using namespace std::chrono_literals;

/// An interface that has just appeared is hooked soon.
constexpr auto time_to_attach = 1s;
/// Readings a second are at least so many.
constexpr std::size_t readings_per_second = 4;
/// What is read at once costs little up to so many.
constexpr std::size_t few = 8;

Flow flow_of(const Traffic& traffic, const Direction& direction) {
    return {traffic.*direction.bytes, traffic.*direction.packets};
}

}  // namespace

std::vector<std::uint32_t> Witness::due(std::span<const std::uint32_t> selected) {
    for (auto& [index, interface] : known_)
        if (!std::ranges::binary_search(selected, index) && interface.by_device())
            for (auto& flow : interface.flows) flow.count_by_source();
    std::vector<std::uint32_t> due;
    for (const auto index : selected) {
        const auto found = known_.find(index);
        if (found == known_.end() || !found->second.is_counted ||
            std::ranges::any_of(found->second.flows, &WitnessedFlow::is_disputed))
            due.push_back(index);
    }
    const auto turn =
        std::min(selected.size(), std::max(few, selected.size() / readings_per_second + 1));
    for (std::size_t i = 0; i < turn; ++i) due.push_back(selected[(turn_ + i) % selected.size()]);
    turn_ += turn;
    std::ranges::sort(due);
    const auto repeated = std::ranges::unique(due);
    due.erase(repeated.begin(), repeated.end());
    return due;
}

std::vector<CounterChange> Witness::correct(RawCounters& counters,
                                            std::span<const DeviceReading> devices,
                                            const ReadAgain& read_again) {
    std::vector<CounterChange> changes;
    for (const auto& device : devices) known_.try_emplace(device.index);
    std::vector<InterfaceCounters> added;
    auto counted = counters.interfaces.begin();
    auto device = devices.begin();
    for (auto entry = known_.begin(); entry != known_.end();) {
        auto& [index, interface] = *entry;
        while (counted != counters.interfaces.end() && counted->index < index) ++counted;
        while (device != devices.end() && device->index < index) ++device;
        auto* ours =
            counted != counters.interfaces.end() && counted->index == index ? &*counted : nullptr;
        const auto* theirs = device != devices.end() && device->index == index ? &*device : nullptr;
        if (!ours && !theirs) {
            entry = known_.erase(entry);  // gone, or of no interest any more
            continue;
        }
        advance(interface, ours, theirs, counters.at, index, read_again, changes);
        if (!ours && interface.by_device())
            ours = &added.emplace_back(InterfaceCounters{.index = index, .name = interface.name});
        if (ours) write(interface, *ours);
        ++entry;
    }
    counters.interfaces.insert(counters.interfaces.end(), std::move_iterator(added.begin()),
                               std::move_iterator(added.end()));
    if (!added.empty()) std::ranges::sort(counters.interfaces, {}, &InterfaceCounters::index);
    return changes;
}

void Witness::advance(Interface& interface, const InterfaceCounters* ours,
                      const DeviceReading* theirs, Clock::time_point at, std::uint32_t index,
                      const ReadAgain& read_again, std::vector<CounterChange>& changes) {
    if (theirs) {
        interface.name = theirs->name;
        interface.traits = theirs->traits;
    }
    const bool is_new = interface.since == Clock::time_point();
    const bool device_began_anew =
        theirs && std::exchange(interface.device_since, theirs->since) != theirs->since;
    const bool begins = is_new || (ours && !interface.is_counted && !interface.by_device());
    // One that was counted has a history to go on from.
    const bool is_given_up =
        !ours && (interface.is_counted || at - interface.since >= time_to_attach);
    interface.is_counted = ours != nullptr;
    if (begins) interface.since = at;
    if (ours && std::exchange(interface.source_since, ours->since) != ours->since &&
        (begins || (interface.traits.updates_late && !interface.by_device())))
        interface.since = ours->since;

    for (std::size_t i = 0; i < directions.size(); ++i) {
        const auto& direction = directions[i];
        auto& flow = interface.flows[i];
        WitnessedFlow::Reading reading{.at = at, .device_began_anew = device_began_anew};
        if (ours) {
            reading.ours = flow_of(ours->traffic, direction);
            reading.repeated_bytes = ours->repeated_bytes[i];
        }
        if (theirs) reading.device = flow_of(theirs->traffic, direction);
        if (begins) {
            flow.start(reading);
            continue;
        }
        auto change = is_given_up && !flow.by_device()
                          ? flow.count_by_device(reading)
                          : flow.advance(reading, interface.traits,
                                         [&] { return read_again(index, direction); });
        if (change)
            changes.push_back({.index = index,
                               .name = interface.name,
                               .direction = &direction,
                               .change = *change});
    }
}

void Witness::write(const Interface& interface, InterfaceCounters& counters) {
    counters.since = interface.since;
    if (interface.by_device()) counters.counted_by = CountedBy::device;
    for (std::size_t i = 0; i < directions.size(); ++i) {
        counters.traffic.*directions[i].bytes = interface.flows[i].reported().bytes;
        counters.traffic.*directions[i].packets = interface.flows[i].reported().packets;
    }
}

}  // namespace wcs_node_agent
