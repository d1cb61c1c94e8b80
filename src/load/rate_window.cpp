// SPDX-License-Identifier: Apache-2.0
#include "load/rate_window.hpp"

#include <algorithm>

namespace wcs_node_agent {

namespace {

/// Calls each(before, after) for what stands in both lists, which are ordered by key.
template <class List, class Key, class Each>
void for_each_pair(const List& before, const List& after, Key key, Each each) {
    auto old = before.begin();
    for (const auto& now : after) {
        while (old != before.end() && (*old).*key < now.*key) ++old;
        if (old != before.end() && (*old).*key == now.*key) each(*old, now);
    }
}

}  // namespace

void RateWindow::add(const RawCounters& reading, std::span<const std::uint32_t> selected) {
    any_selected_ = !selected.empty();
    if (last_ && reading.at <= last_->at) return;
    auto point = points_.empty() ? Point{} : points_.back();
    point.at = reading.at;
    if (last_) {
        for_each_pair(last_->interfaces, reading.interfaces, &InterfaceCounters::index,
                      [&](const auto& before, const auto& after) {
                          if (std::ranges::binary_search(selected, after.index))
                              point.traffic += increase(before.traffic, after.traffic);
                      });
        const auto elapsed = reading.at - last_->at;
        for_each_pair(last_->cpus, reading.cpus, &CpuCounters::cpu,
                      [&](const auto& before, const auto& after) {
                          // Time that is counted in ticks can step beyond what has passed.
                          point.cpu_busy += std::clamp<std::chrono::nanoseconds>(
                              after.busy - before.busy, elapsed.zero(), elapsed);
                          point.cpu_time += elapsed;
                      });
    }
    last_ = reading;
    points_.push_back(point);
    while (points_.size() > 2 && points_[1].at <= point.at - window_) points_.pop_front();
}

Rates RateWindow::rates() const {
    if (points_.size() < 2) return {};
    const auto& from = points_.front();
    const auto& to = points_.back();
    const auto elapsed = Seconds(to.at - from.at).count();
    const auto sum = increase(from.traffic, to.traffic);
    const auto bits_per_second = [&](std::uint64_t bytes, std::uint64_t frames) {
        return static_cast<double>(bytes + frames * wire_overhead_) * 8 / elapsed;
    };
    Rates rates;
    if (any_selected_) {
        rates.bits_in = bits_per_second(sum.receive_bytes, sum.receive_packets);
        rates.bits_out = bits_per_second(sum.transmit_bytes, sum.transmit_packets);
    }
    if (const auto cpu_time = to.cpu_time - from.cpu_time; cpu_time.count() > 0)
        rates.cpu_utilisation = Seconds(to.cpu_busy - from.cpu_busy) / Seconds(cpu_time);
    return rates;
}

}  // namespace wcs_node_agent
