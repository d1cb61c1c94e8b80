// SPDX-License-Identifier: Apache-2.0
#include "load/rate_window.hpp"

#include <algorithm>

namespace wcs_node_agent {

namespace {

/// Readings kept of a window, at most about: a minute's, taken 100 times a second on a host of
/// 1,000 interfaces, would be 280 MiB.
constexpr int most_points = 64;

/// at: where it may be, as it seldom changes from reading to reading; then where it is. Null: it is
/// not there.
template <class Interfaces>
auto find_interface(Interfaces& interfaces, std::uint32_t index, std::size_t& at) {
    if (at >= interfaces.size() || interfaces[at].index != index) {
        const auto found = std::ranges::lower_bound(interfaces, index, {},
                                                    [](const auto& one) { return one.index; });
        at = static_cast<std::size_t>(found - interfaces.begin());
    }
    return at < interfaces.size() && interfaces[at].index == index ? &interfaces[at] : nullptr;
}

bool has_fallen(const Traffic& before, const Traffic& after) {
    return std::ranges::any_of(all_traffic_counters, [&](const TrafficCounter& counter) {
        return after.*counter.value < before.*counter.value;
    });
}

}  // namespace

void RateWindow::add(const RawCounters& reading) {
    if (!points_.empty() && reading.at <= points_.back().at) return;
    Point point;
    point.at = reading.at;
    point.interfaces.reserve(reading.interfaces.size());
    for (const auto& one : reading.interfaces)
        point.interfaces.push_back({one.index, one.since, one.traffic});
    // What lies close behind the reading before the last is of no use as the window's start.
    const auto kept = points_.size();
    if (kept >= 2 && point.at - points_[kept - 2].at < window_ / most_points)
        points_.back() = std::move(point);
    else
        points_.push_back(std::move(point));
    while (points_.size() > 2 && points_[1].at <= points_.back().at - window_) points_.pop_front();
}

void RateWindow::add_missed(std::uint32_t index, const Traffic& missed, Clock::time_point from,
                            Clock::time_point to) {
    std::size_t at = 0;
    for (auto& point : points_) {
        if (point.at <= from) continue;
        auto* interface = find_interface(point.interfaces, index, at);
        if (!interface) continue;
        const auto share = std::min(1.0, Seconds(point.at - from) / Seconds(to - from));
        for (const auto& counter : all_traffic_counters)
            interface->traffic.*counter.value +=
                static_cast<std::uint64_t>(share * static_cast<double>(missed.*counter.value));
    }
}

Rates RateWindow::rates(std::span<const std::uint32_t> selected) const {
    Rates rates;
    if (points_.empty()) return rates;
    const auto& last = points_.back();
    const bool is_full = points_.front().at <= last.at - window_;
    std::vector<std::uint32_t> throughout;
    std::size_t common = 0;  // the first point from which on all of them were counted
    for (const auto index : selected) {
        const auto from = counted_from(index);
        if (from == points_.size()) rates.uncounted.push_back(index);
        if (from == 0) throughout.push_back(index);
        common = std::max(common, from);
    }
    if (is_full && !throughout.empty())
        set_bandwidth(throughout.size() == selected.size() ? rates : rates.at_least,
                      sum(throughout, 0), 0);
    if (!selected.empty() && rates.uncounted.empty() && !rates.bits_in)
        set_bandwidth(rates.so_far, sum(selected, common), common);
    return rates;
}

/// The first of the points up to the last that the interface was counted in without a break; past
/// the end: it is not counted now.
std::size_t RateWindow::counted_from(std::uint32_t index) const {
    std::size_t at = 0;
    const auto* after = find_interface(points_.back().interfaces, index, at);
    if (!after) return points_.size();
    auto from = points_.size() - 1;
    for (; from > 0; --from) {
        const auto* before = find_interface(points_[from - 1].interfaces, index, at);
        if (!before || before->since != after->since || has_fallen(before->traffic, after->traffic))
            break;
        after = before;
    }
    return from;
}

/// What those that were counted throughout have counted since that point.
Traffic RateWindow::sum(std::span<const std::uint32_t> indexes, std::size_t from) const {
    Traffic sum;
    std::size_t at = 0;
    for (const auto index : indexes) {
        const auto* before = find_interface(points_[from].interfaces, index, at);
        const auto* after = find_interface(points_.back().interfaces, index, at);
        sum += increase(before->traffic, after->traffic);
        ++at;
    }
    return sum;
}

void RateWindow::set_bandwidth(Means& means, const Traffic& sum, std::size_t from) const {
    const auto elapsed = Seconds(points_.back().at - points_[from].at).count();
    if (elapsed <= 0) return;
    const auto bits_per_second = [&](std::uint64_t bytes, std::uint64_t frames) {
        return static_cast<double>(bytes + frames * wire_overhead_) * 8 / elapsed;
    };
    means.frames_in = static_cast<double>(sum.receive_packets) / elapsed;
    means.frames_out = static_cast<double>(sum.transmit_packets) / elapsed;
    means.bits_in = bits_per_second(sum.receive_bytes, sum.receive_packets);
    means.bits_out = bits_per_second(sum.transmit_bytes, sum.transmit_packets);
}

}  // namespace wcs_node_agent
