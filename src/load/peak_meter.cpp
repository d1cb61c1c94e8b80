// SPDX-License-Identifier: Apache-2.0
#include "load/peak_meter.hpp"

#include <algorithm>
#include <cmath>

namespace wcs_node_agent {

void PeakMeter::add(const TrafficBuckets& buckets) {
    length_ = buckets.length;
    last_second_.insert(last_second_.end(), buckets.over.begin(), buckets.over.end());
    while (last_second_.size() > buckets_a_second()) last_second_.pop_front();
}

Peaks PeakMeter::peaks() const {
    Peaks peaks;
    if (!is_full()) return peaks;
    peaks.bits_in = highest(directions[0]);
    peaks.bits_out = highest(directions[1]);
    peaks.bucket = length_;
    return peaks;
}

std::optional<double> PeakMeter::share_over(double limit, const Direction& direction) const {
    if (!is_full()) return std::nullopt;
    const auto over = std::ranges::count_if(last_second_, [&](const Traffic& bucket) {
        return bits_per_second(bucket, direction) > limit;
    });
    return static_cast<double>(over) / static_cast<double>(last_second_.size());
}

double PeakMeter::highest(const Direction& direction) const {
    double highest = 0;
    for (const auto& bucket : last_second_)
        highest = std::max(highest, bits_per_second(bucket, direction));
    return highest;
}

double PeakMeter::bits_per_second(const Traffic& bucket, const Direction& direction) const {
    const auto bytes = bucket.*direction.bytes + bucket.*direction.packets * wire_overhead_;
    return static_cast<double>(bytes) * 8 / Seconds(length_).count();
}

std::size_t PeakMeter::buckets_a_second() const {
    return static_cast<std::size_t>(std::lround(1 / Seconds(length_).count()));
}

bool PeakMeter::is_full() const {
    return !last_second_.empty() && last_second_.size() >= buckets_a_second();
}

}  // namespace wcs_node_agent
