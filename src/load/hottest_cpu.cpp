// SPDX-License-Identifier: Apache-2.0
#include "load/hottest_cpu.hpp"

#include <algorithm>
#include <optional>

namespace wcs_node_agent {

namespace {

constexpr std::chrono::nanoseconds kept_interval = std::chrono::seconds(1);

const CpuCounters* find_cpu(const std::vector<CpuCounters>& cpus, unsigned cpu) {
    const auto found = std::ranges::lower_bound(cpus, cpu, {}, &CpuCounters::cpu);
    return found != cpus.end() && found->cpu == cpu ? &*found : nullptr;
}

}  // namespace

void HottestCpu::add(const RawCounters& reading) {
    if (!points_.empty() && reading.at <= points_.back().at) return;
    const auto kept = points_.size();
    if (kept < 2 || reading.at - points_[kept - 2].at >= kept_interval) points_.emplace_back();
    points_.back().at = reading.at;
    points_.back().cpus = reading.cpus;
    while (points_.size() > 2 && points_[1].at <= reading.at - long_window) points_.pop_front();
}

void HottestCpu::set(Rates& rates) const {
    if (points_.size() < 2) return;
    const auto& first = points_.front();
    const auto& last = points_.back();
    const auto elapsed = Seconds(last.at - first.at).count();
    std::optional<double> highest;
    for (const auto& after : last.cpus) {
        const auto is_listed = [&](const Point& point) { return find_cpu(point.cpus, after.cpu); };
        if (!std::ranges::all_of(points_, is_listed)) continue;
        const auto busy = after.busy - find_cpu(first.cpus, after.cpu)->busy;
        // Time that is counted in ticks can step beyond what has passed.
        highest = std::max(highest.value_or(0), std::min(Seconds(busy).count() / elapsed, 1.0));
    }
    auto& means = first.at <= last.at - long_window ? static_cast<Means&>(rates) : rates.so_far;
    means.cpu_max_utilisation = highest;
}

}  // namespace wcs_node_agent
