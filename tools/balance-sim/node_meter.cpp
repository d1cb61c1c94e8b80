// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/node_meter.hpp"

#include "balance-sim/limits.hpp"

#include <algorithm>
#include <chrono>

namespace wcs_node_agent::balance {

namespace {

constexpr std::uint32_t card = 2;  // its index

Clock::time_point moment(double seconds) {
    constexpr Seconds before_all{1e6};  // simulated time begins below zero
    return Clock::time_point(
        std::chrono::duration_cast<Clock::duration>(before_all + Seconds(seconds)));
}

}  // namespace

NodeMeter::NodeMeter(std::chrono::nanoseconds window) : window_(window), cpu_window_(window) {
    counters_.interfaces = {{.index = card, .name = "eth0"}};
    counters_.cpus = {{}};
}

void NodeMeter::sample(const Node& node, double now) {
    const auto& integral = node.load.integral();
    counters_.at = moment(now);
    if (samples_ > 0) count(node, now - last_);
    before_ = integral;
    last_ = now;
    if (samples_ < 2) ++samples_;
    window_.add(counters_);
    cpu_window_.add(counters_);
    measured_.rates = window_.rates(std::span(&card, 1));
    cpu_window_.set(measured_.rates);
    ask_wcs(node);
}

/// No counter goes faster than what it counts can.
void NodeMeter::count(const Node& node, double elapsed) {
    const auto grown = [&](Resource resource, double most) {
        const auto i = static_cast<std::size_t>(resource);
        const double by = node.load.integral()[i] - before_[i];
        return std::min(by, most * elapsed * node.capacity);
    };
    const double busy = grown(Resource::cpu, 1) / node.capacity;
    const double megabits = grown(Resource::band_out, link_by_limit * band_limit);
    counters_.cpus[0].busy += std::chrono::duration_cast<std::chrono::nanoseconds>(Seconds(busy));
    auto& traffic = counters_.interfaces[0].traffic;
    traffic.transmit_bytes += static_cast<std::uint64_t>(megabits * 1e6 / 8);
}

void NodeMeter::ask_wcs(const Node& node) {
    wcs_.asked = true;
    wcs_.silent = !node.answers;
    wcs_.fault = node.answers ? WcsFault::none : WcsFault::timeout;
    if (!node.answers) return;
    wcs_.page_at = counters_.at;
    wcs_.subscribers = HeldCount{static_cast<double>(node.sessions), counters_.at};
}

}  // namespace wcs_node_agent::balance
