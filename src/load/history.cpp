// SPDX-License-Identifier: Apache-2.0
#include "load/history.hpp"

#include <algorithm>
#include <cmath>

namespace wcs_node_agent {

namespace {

using Keeps = HistorySeries::Keeps;

std::optional<double> in_bytes(const std::optional<double>& bits) {
    constexpr double bits_a_byte = 8;
    return bits ? std::optional(*bits / bits_a_byte) : std::nullopt;
}

std::optional<double> known(const Snapshot& node, const std::optional<HeldCount>& count) {
    const bool is_known = count && node.at - count->at <= node.stale_after;
    return is_known ? std::optional(count->value) : std::nullopt;
}

/// Absent while the first reply is not due.
std::optional<double> answered(const Snapshot& node, double value) {
    return node.starting ? std::nullopt : std::optional(value);
}

std::optional<double> bottleneck_utilisation(const Snapshot& node) {
    const auto& readings = node.verdict.readings;
    const auto found = std::ranges::find(readings, node.verdict.bottleneck, &LimitReading::name);
    return node.starting || found == readings.end() ? std::nullopt : found->utilisation;
}

float merged(Keeps keeps, float before, float next) {
    if (std::isnan(before)) return next;
    if (std::isnan(next)) return keeps == Keeps::last ? next : before;
    if (keeps == Keeps::highest) return std::max(before, next);
    if (keeps == Keeps::lowest) return std::min(before, next);
    return next;
}

}  // namespace

// A second in which the node was not up for a moment is one in which it was not up.
const std::array<HistorySeries, history_series_count> all_history_series{{
    {"band_in_bytes_per_second", Keeps::last, true, 0,
     [](const Snapshot& node) { return in_bytes(node.rates.bits_in); }},
    {"band_out_bytes_per_second", Keeps::last, true, 0,
     [](const Snapshot& node) { return in_bytes(node.rates.bits_out); }},
    {"peak_in_bytes_per_second", Keeps::highest, true, 0,
     [](const Snapshot& node) { return in_bytes(node.peaks.bits_in); }},
    {"peak_out_bytes_per_second", Keeps::highest, true, 0,
     [](const Snapshot& node) { return in_bytes(node.peaks.bits_out); }},
    {"cpu_utilisation", Keeps::last, true, 4,
     [](const Snapshot& node) { return node.rates.cpu_utilisation; }},
    {"cpu_max_utilisation", Keeps::last, true, 4,
     [](const Snapshot& node) { return node.rates.cpu_max_utilisation; }},
    {"publishers", Keeps::last, true, 0,
     [](const Snapshot& node) { return known(node, node.wcs.publishers); }},
    {"subscribers", Keeps::last, true, 0,
     [](const Snapshot& node) { return known(node, node.wcs.subscribers); }},
    {"hls", Keeps::last, true, 0, [](const Snapshot& node) { return known(node, node.wcs.hls); }},
    {"weight", Keeps::lowest, false, 0,
     [](const Snapshot& node) { return answered(node, node.verdict.weight.percent); }},
    {"state", Keeps::highest, false, 0,
     [](const Snapshot& node) { return answered(node, static_cast<double>(node.verdict.state)); }},
    {"bottleneck_utilisation", Keeps::highest, true, 4, bottleneck_utilisation},
}};

void History::add(const Snapshot& snapshot, Clock::time_point now) {
    const bool sampled = !first_ || snapshot.at != sampled_at_;
    Point next = gap;
    for (std::size_t i = 0; i < next.size(); ++i) {
        const auto& series = all_history_series[i];
        if (series.measured && !sampled) continue;
        if (const auto value = series.value(snapshot)) next[i] = static_cast<float>(*value);
    }
    const auto second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    if (!first_ || second > current_) begin(second, now - added_at_ <= longest_pause_, next);
    auto& point = points_[slot(second)];
    for (std::size_t i = 0; i < next.size(); ++i)
        point[i] = merged(all_history_series[i].keeps, point[i], next[i]);
    added_at_ = now;
    sampled_at_ = snapshot.at;
}

/// Those between the current second and the next one get the point, or are gaps.
void History::begin(std::int64_t second, bool bridges, const Point& point) {
    if (!first_) first_ = current_ = second;
    const auto oldest = second - static_cast<std::int64_t>(capacity);
    for (auto between = std::max(current_ + 1, oldest); between < second; ++between)
        points_[slot(between)] = bridges ? point : gap;
    points_[slot(second)] = gap;
    current_ = second;
}

History::Span History::seconds() const {
    if (!first_) return {};
    const auto oldest = current_ - static_cast<std::int64_t>(capacity);
    return {.first = std::max(*first_, oldest), .end = current_};
}

std::optional<double> History::value(std::int64_t second, std::size_t series) const {
    const float value = points_[slot(second)][series];
    return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

}  // namespace wcs_node_agent
