// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace wcs_node_agent {

/// What was counted on one interface since its counting began. Bytes are those of the frame on the
/// wire: layer 2 header included, preamble, frame check sequence and gap not.
struct InterfaceCounters {
    std::uint32_t index = 0;  // the kernel's ifindex: the identity, within one network namespace
    std::string name;         // a label only: it may change
    std::uint64_t receive_bytes = 0;
    std::uint64_t receive_packets = 0;
    std::uint64_t transmit_bytes = 0;
    std::uint64_t transmit_packets = 0;
};

/// The same summed over some interfaces, at one moment.
struct TrafficTotals {
    Clock::time_point at;
    std::uint64_t receive_bytes = 0;
    std::uint64_t receive_packets = 0;
    std::uint64_t transmit_bytes = 0;
    std::uint64_t transmit_packets = 0;
};

/// How long one CPU was not free for new work since its counting began.
struct CpuCounters {
    unsigned cpu = 0;
    std::chrono::nanoseconds busy{};   // all but idle: tasks, interrupts, softirqs, stolen time
    std::chrono::nanoseconds steal{};  // what the hypervisor took
};

/// What becomes of frames that were counted and that the queueing discipline then drops.
enum class QdiscDrops {
    count_as_sent,          // the kernel does not tell of them (before Linux 5.18)
    taken_back_at_enqueue,  // it tells of those dropped on arrival, not of CoDel's (before 6.14)
    taken_back,
};

/// One reading of a probe. A CPU that is offline is not listed.
struct RawCounters {
    Clock::time_point at;
    std::vector<InterfaceCounters> interfaces;  // by index, ascending
    std::vector<CpuCounters> cpus;              // by number, ascending
    std::uint64_t unplaced_packets = 0;  // frames of interfaces for which the maps had no room
    QdiscDrops qdisc_drops = QdiscDrops::count_as_sent;
};

}  // namespace wcs_node_agent
