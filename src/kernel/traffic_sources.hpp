// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "counters.h"

#include <wcs_node_agent/raw_counters.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <tuple>

namespace wcs_node_agent {

/// Of each interface /proc/net/dev has bytes packets errs drop fifo frame compressed multicast
/// received, then bytes packets errs drop fifo colls carrier compressed sent.
inline constexpr std::size_t net_dev_columns = 16;

using KernelTraffic = ::traffic;  // bpf/counters.h

/// Where a counter of Traffic comes from: what the kernel programs count, less what of it the
/// queueing discipline dropped (none: null); or a column of /proc/net/dev.
struct TrafficSource {
    std::uint64_t Traffic::*value;
    __u64 KernelTraffic::*counted;
    __u64 KernelTraffic::*dropped;
    std::size_t net_dev_column;
};

inline constexpr std::array<TrafficSource, all_traffic_counters.size()> traffic_sources{{
    {&Traffic::receive_bytes, &KernelTraffic::receive_bytes, nullptr, 0},
    {&Traffic::receive_packets, &KernelTraffic::receive_packets, nullptr, 1},
    {&Traffic::transmit_bytes, &KernelTraffic::transmit_bytes, &KernelTraffic::dropped_bytes, 8},
    {&Traffic::transmit_packets, &KernelTraffic::transmit_packets, &KernelTraffic::dropped_packets,
     9},
}};
static_assert(traffic_sources.back().counted, "each counter has its source");

/// One field written by one CPU, read whole by another.
template <class T>
T read_whole(const T& field) {
    return std::atomic_ref(const_cast<T&>(field)).load(std::memory_order_relaxed);
}

/// What the kernel programs counted in one slot, summed over CPUs.
struct TrafficInSlot {
    Traffic counted;
    Traffic dropped;  // of it, by the queueing discipline
    PerDirection<std::uint64_t> repeated_bytes{};

    /// Unrolled, since this is done for every CPU of every interface.
    void add(const KernelTraffic& on_one_cpu) {
        const auto add_from = [&](const TrafficSource& source) {
            counted.*source.value += read_whole(on_one_cpu.*source.counted);
            if (source.dropped) dropped.*source.value += read_whole(on_one_cpu.*source.dropped);
        };
        std::apply([&](const auto&... source) { (add_from(source), ...); }, traffic_sources);
        repeated_bytes[0] += read_whole(on_one_cpu.receive_repeated);
        repeated_bytes[1] += read_whole(on_one_cpu.transmit_repeated);
    }

    /// Brings up to date what was reported before. A frame counts as sent when it is queued and is
    /// subtracted when the queue drops it: the difference can shrink for a moment, which a reader
    /// of counters would take for a restart.
    void advance(Traffic& reported) const {
        for (const auto& counter : all_traffic_counters) {
            const auto drops = std::min(counted.*counter.value, dropped.*counter.value);
            reported.*counter.value =
                std::max(reported.*counter.value, counted.*counter.value - drops);
        }
    }
};

}  // namespace wcs_node_agent
