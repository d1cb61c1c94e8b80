// SPDX-License-Identifier: Apache-2.0
#include "load/udp_loss.hpp"

namespace wcs_node_agent {

void UdpLoss::add(Clock::time_point at, const UdpCounters& counters) {
    if (!points_.empty()) {
        const auto& last = points_.back();
        if (at <= last.at) return;
        if (counters.received < last.counters.received ||
            counters.receive_buffer_errors < last.counters.receive_buffer_errors)
            restart();
    }
    points_.push_back({at, counters});
    while (points_.size() > 2 && points_[1].at <= at - long_window) points_.pop_front();
}

void UdpLoss::set(Rates& rates) const {
    if (points_.empty()) return;
    const auto& [from, before] = points_.front();
    const auto& [to, after] = points_.back();
    const auto lost = after.receive_buffer_errors - before.receive_buffer_errors;
    const auto arrived = after.received - before.received + lost;
    auto& means = from <= to - long_window ? static_cast<Means&>(rates) : rates.so_far;
    means.udp_loss =
        arrived < least_datagrams ? 0 : static_cast<double>(lost) / static_cast<double>(arrived);
}

}  // namespace wcs_node_agent
