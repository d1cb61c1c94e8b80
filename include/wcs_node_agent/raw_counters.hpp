// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// What was counted since the counting began. Bytes are those of the frame on the wire: layer 2
/// header included, preamble, frame check sequence and gap not.
struct Traffic {
    std::uint64_t receive_bytes = 0;
    std::uint64_t receive_packets = 0;
    std::uint64_t transmit_bytes = 0;
    std::uint64_t transmit_packets = 0;

    bool operator==(const Traffic&) const = default;
};

/// One counter of Traffic, for whatever is done to each of them.
struct TrafficCounter {
    std::uint64_t Traffic::*value;
    std::string_view name;         // the key in /status; in /metrics wcs_node_network_NAME_total
    std::string_view description;  // the beginning of its HELP text
    bool is_sent;                  // what the queueing discipline drops concerns it
};

/// Where each of them comes from: src/kernel/traffic_sources.hpp.
inline constexpr std::array<TrafficCounter, 4> all_traffic_counters{{
    {&Traffic::receive_bytes, "receive_bytes", "Bytes received", false},
    {&Traffic::receive_packets, "receive_packets", "Frames received", false},
    {&Traffic::transmit_bytes, "transmit_bytes", "Bytes sent", true},
    {&Traffic::transmit_packets, "transmit_packets", "Frames sent", true},
}};
static_assert(sizeof(Traffic) == all_traffic_counters.size() * sizeof(std::uint64_t),
              "each counter has its row");

constexpr Traffic& operator+=(Traffic& sum, const Traffic& more) {
    for (const auto& counter : all_traffic_counters) sum.*counter.value += more.*counter.value;
    return sum;
}

/// How far each counter has come. One that went back has started anew: how far it had come before
/// that is not known, and it adds nothing.
constexpr Traffic increase(const Traffic& before, const Traffic& after) {
    Traffic increase;
    for (const auto& [value, name, description, is_sent] : all_traffic_counters)
        if (after.*value > before.*value) increase.*value = after.*value - before.*value;
    return increase;
}

/// The two counters of one direction.
struct Direction {
    std::string_view name;  // what becomes of a frame
    std::uint64_t Traffic::*bytes;
    std::uint64_t Traffic::*packets;
};

inline constexpr std::array<Direction, 2> directions{{
    {"received", &Traffic::receive_bytes, &Traffic::receive_packets},
    {"sent", &Traffic::transmit_bytes, &Traffic::transmit_packets},
}};

/// Something of each direction.
template <class T>
using PerDirection = std::array<T, directions.size()>;

/// Who counts the frames of an interface.
enum class CountedBy {
    source,  // what all are counted by: Snapshot::source
    device,  // its driver, as the source does not count its frames, or counts them wrongly
};

/// One interface.
struct InterfaceCounters {
    std::uint32_t index = 0;  // the kernel's ifindex: the identity, within one network namespace
    std::string name;         // a label only: it may change
    Traffic traffic = {};
    Clock::time_point since = {};  // when this counting began; other than before: it began anew
    PerDirection<std::uint64_t> repeated_bytes = {};  // of traffic: headers that each segment of an
                                                      // aggregate repeats, not in the aggregate
    CountedBy counted_by = CountedBy::source;
};

/// What the selected interfaces together received and sent within buckets of time, one after the
/// other. What the queueing discipline drops is subtracted.
struct TrafficBuckets {
    std::chrono::nanoseconds length{};  // of each
    std::vector<Traffic> over = {};     // those that have ended since the reading before
};

/// How long one CPU was not free for new work since its counting began.
struct CpuCounters {
    unsigned cpu = 0;
    std::chrono::nanoseconds busy{};   // all but idle: tasks, interrupts, softirqs, stolen time
    std::chrono::nanoseconds steal{};  // what the hypervisor took
};

/// One of the agent's kernel programs.
struct ProgramCounters {
    std::string name;
    std::uint64_t attached = 0;              // to so many interfaces or tracepoints
    std::optional<std::uint64_t> runs = {};  // absent: the kernel does not keep it, or tell
    std::optional<std::chrono::nanoseconds> run_time = {};
};

/// What becomes of frames that were counted and that the queueing discipline then drops.
enum class QdiscDrops {
    count_as_sent,          // the kernel does not report them (before Linux 5.18)
    subtracted_at_enqueue,  // it reports those dropped on arrival, not CoDel's (before 6.14)
    subtracted,
};

/// One reading of a probe. A CPU that is offline is not listed.
struct RawCounters {
    Clock::time_point at;
    std::vector<InterfaceCounters> interfaces;  // by index, ascending
    std::vector<CpuCounters> cpus;              // by number, ascending
    std::uint64_t unplaced_packets = 0;  // frames of interfaces for which the maps had no room
    QdiscDrops qdisc_drops = QdiscDrops::count_as_sent;
    std::vector<ProgramCounters> programs = {};
    std::map<std::uint32_t, std::string> not_counted = {};  // why, by the index of the interface
    std::string cpus_unknown = {};               // why there are no CPUs, if there are none
    std::optional<TrafficBuckets> buckets = {};  // none: not measured
    std::map<std::string, std::uint64_t> dropped_packets =
        {};  // frames of selected interfaces that
             // the kernel dropped, by its reason
};

}  // namespace wcs_node_agent
