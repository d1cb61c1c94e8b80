// SPDX-License-Identifier: Apache-2.0
#include "load/cpu_window.hpp"

#include <algorithm>

namespace wcs_node_agent {

void CpuWindow::add(const RawCounters& reading) {
    if (!points_.empty() && reading.at <= points_.back().at) return;
    Point point{.at = reading.at};
    if (!points_.empty()) {
        const auto& last = points_.back();
        const auto elapsed = reading.at - last.at;
        point.busy = last.busy;
        point.passed = last.passed;
        auto before = last_cpus_.begin();
        for (const auto& after : reading.cpus) {
            while (before != last_cpus_.end() && before->cpu < after.cpu) ++before;
            if (before == last_cpus_.end() || before->cpu != after.cpu) continue;
            // Time that is counted in ticks can step beyond what has passed.
            point.busy += std::clamp<std::chrono::nanoseconds>(after.busy - before->busy,
                                                               elapsed.zero(), elapsed);
            point.passed += elapsed;
        }
        if (point.passed == last.passed) gap_at_ = reading.at;
    }
    last_cpus_ = reading.cpus;
    points_.push_back(point);
    while (points_.size() > 2 && points_[1].at <= reading.at - window_) points_.pop_front();
}

void CpuWindow::set(Rates& rates) const {
    if (points_.size() < 2) return;
    const auto& from = points_.front();
    const auto& to = points_.back();
    if (gap_at_ > from.at) return;
    auto& means = from.at <= to.at - window_ ? static_cast<Means&>(rates) : rates.so_far;
    means.cpu_utilisation = Seconds(to.busy - from.busy) / Seconds(to.passed - from.passed);
}

}  // namespace wcs_node_agent
