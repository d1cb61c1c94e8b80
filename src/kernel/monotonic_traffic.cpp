// SPDX-License-Identifier: Apache-2.0
#include "kernel/monotonic_traffic.hpp"

#include "kernel/monotonic.hpp"

#include <algorithm>
#include <chrono>

namespace wcs_node_agent {

namespace {

/// Far beyond any wire: 10 Tbit/s, and no more frames than bytes.
constexpr double most_per_second = 1.25e12;

/// Some drivers ask their hardware only every few seconds, and all that it counted comes at once.
constexpr auto longest_delay = std::chrono::seconds(10);

}  // namespace

MonotonicTraffic::MonotonicTraffic(const Traffic& reading, Clock::time_point now)
    : reading_(reading), since_(now), read_at_(now) {
    for (const auto& counter : all_traffic_counters)
        total_.*counter.value = credible_start(reading.*counter.value);
}

void MonotonicTraffic::advance(const Traffic& reading, Clock::time_point now) {
    const auto seconds = Seconds(now - read_at_ + longest_delay).count();
    const auto most = static_cast<std::uint64_t>(std::min(seconds * most_per_second, 0x1p60));
    for (const auto& counter : all_traffic_counters) {
        const auto before = reading_.*counter.value;
        const auto after = reading.*counter.value;
        const auto increase = credible_increase(before, after, most);
        total_.*counter.value += increase;
        if (increase == 0 && after != before) since_ = now;
    }
    reading_ = reading;
    read_at_ = now;
}

}  // namespace wcs_node_agent
