// SPDX-License-Identifier: Apache-2.0
#include "load/peak_meter.hpp"

#include <algorithm>

namespace wcs_node_agent {

namespace {

using namespace std::chrono_literals;

/// Timers are a little early now and then, measured by the readings' own clock.
constexpr auto shortest = PeakMeter::interval * 9 / 10;

void raise(std::optional<double>& peak, double rate) { peak = std::max(peak.value_or(0), rate); }

}  // namespace

void PeakMeter::add(const TrafficTotals& reading) {
    if (last_ && reading.at - last_->at < shortest) return;
    if (reading.at - second_ >= 1s)
        close_second(std::chrono::floor<std::chrono::seconds>(reading.at));
    if (last_) {
        const auto elapsed = reading.at - last_->at;
        const auto more = increase(last_->traffic, reading.traffic);
        raise(current_.bits_in, rate(more.receive_bytes, more.receive_packets, elapsed));
        raise(current_.bits_out, rate(more.transmit_bytes, more.transmit_packets, elapsed));
    }
    last_ = reading;
}

void PeakMeter::close_second(Clock::time_point second) {
    whole_ = second - second_ == 1s ? current_ : Peaks{};  // nothing was read for longer
    current_ = {};
    second_ = second;
}

Peaks PeakMeter::peaks(Clock::time_point now) const {
    return now - second_ < 2s ? whole_ : Peaks{};
}

double PeakMeter::rate(std::uint64_t bytes, std::uint64_t frames, Clock::duration elapsed) const {
    return static_cast<double>(bytes + frames * wire_overhead_) * 8 / Seconds(elapsed).count();
}

}  // namespace wcs_node_agent
