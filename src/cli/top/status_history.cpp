// SPDX-License-Identifier: Apache-2.0
#include "cli/top/status_history.hpp"

#include "cli/status_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ranges>
#include <utility>

namespace wcs_node_agent {
namespace {

using status_text::at;

constexpr std::array counters{"receive_bytes", "transmit_bytes", "receive_packets",
                              "transmit_packets"};

/// A limit's value in the history, and how often its unit goes into the limit's.
struct Kept {
    const char* limit;
    const char* series;
    double factor;
};
constexpr std::array kept_limits{
    Kept{"cpu", "cpu_utilisation", 100},
    Kept{"cpu_core", "cpu_max_utilisation", 100},
    Kept{"publishers", "publishers", 1},
    Kept{"subscribers", "subscribers", 1},
    Kept{"hls", "hls", 1},
    Kept{"band_in", "band_in_bytes_per_second", 8e-6},
    Kept{"band_out", "band_out_bytes_per_second", 8e-6},
    Kept{"band_out_peak", "peak_out_bytes_per_second", 8e-6},
};

std::string key(const std::string& interface, const std::string& counter) {
    return interface + '/' + counter;
}

std::string cpu_key(const Json& cpu) { return "cpu//" + cpu.dump(); }  // no interface has a slash

void keep(std::map<std::string, double>& values, const std::string& name, const Json& value) {
    if (value.is_number()) values[name] = value.get<double>();
}

}  // namespace

void StatusHistory::begin(const Json& kept, const Json& status) {
    const Json& uptime = at(status, "/uptime_seconds");
    const Json& interval = at(kept, "/interval_seconds");
    if (!uptime.is_number() || !interval.is_number()) return;
    std::deque<Utilisations> points;
    for (const auto& [limit, name, factor] : kept_limits) {
        const Json& values = at(kept, (std::string("/series/") + name).c_str());
        const Json& maximum = at(status, (std::string("/limits/") + limit + "/maximum").c_str());
        if (!values.is_array() || !maximum.is_number()) continue;
        points.resize(std::max(points.size(), values.size()));
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto ago = static_cast<double>(values.size() - i) * interval.get<double>();
            points[i].at = uptime.get<double>() - ago;
            if (values[i].is_number())
                points[i].limits[limit] = values[i].get<double>() * factor / maximum.get<double>();
        }
    }
    utilisations_ = std::move(points);
}

void StatusHistory::add(const Json& status) {
    const Json& uptime = at(status, "/uptime_seconds");
    if (!uptime.is_number()) return;
    const double now = uptime.get<double>();
    if (!readings_.empty() && now == readings_.back().at) return;
    if (!readings_.empty() && now < readings_.back().at) *this = {};

    Reading reading{.at = now, .counters = {}};
    for (const Json& interface : at(status, "/interfaces"))
        for (const char* counter : counters)
            if (at(interface, "/name").is_string() && interface.contains(counter))
                keep(reading.counters, key(interface["name"].get<std::string>(), counter),
                     interface[counter]);
    for (const Json& cpu : at(status, "/cpus"))
        keep(reading.counters, cpu_key(at(cpu, "/cpu")), at(cpu, "/busy_seconds"));
    readings_.push_back(std::move(reading));
    // The last one that is as old as the longest window stays: a rate begins there.
    while (readings_.size() > 2 && readings_[1].at <= now - longest_window) readings_.pop_front();

    Utilisations used{.at = now, .limits = {}};
    for (const auto& [name, limit] : at(status, "/limits").items())
        keep(used.limits, name, at(limit, "/utilisation"));
    utilisations_.push_back(std::move(used));
    while (utilisations_.front().at < now - longest_plot) utilisations_.pop_front();
}

std::optional<double> StatusHistory::rise(const std::string& counter, double window) const {
    if (readings_.empty()) return std::nullopt;
    const Reading& last = readings_.back();
    // Readings come a little early or late; a tenth of a second is no other window.
    const auto begin = std::ranges::find_if(
        std::views::reverse(readings_),
        [&](const Reading& reading) { return last.at - reading.at >= window - 0.1; });
    if (begin == readings_.rend()) return std::nullopt;
    const auto before = begin->counters.find(counter);
    const auto after = last.counters.find(counter);
    if (before == begin->counters.end() || after == last.counters.end() ||
        after->second < before->second)
        return std::nullopt;
    return (after->second - before->second) / (last.at - begin->at);
}

std::optional<double> StatusHistory::rate(const std::string& interface, const std::string& counter,
                                          double window) const {
    return rise(key(interface, counter), window);
}

std::optional<double> StatusHistory::busy(int cpu, double window) const {
    return rise(cpu_key(cpu), window);
}

std::vector<std::optional<double>> StatusHistory::plot(const std::string& limit,
                                                       std::size_t columns, double seconds) const {
    std::vector<std::optional<double>> plot(columns);
    if (utilisations_.empty()) return plot;
    const double now = utilisations_.back().at;
    for (const auto& used : utilisations_) {
        const auto value = used.limits.find(limit);
        const auto ago = static_cast<std::size_t>((now - used.at) / seconds);
        if (value == used.limits.end() || ago >= columns) continue;
        auto& highest = plot[columns - 1 - ago];
        highest = std::max(highest.value_or(0), value->second);
    }
    return plot;
}

}  // namespace wcs_node_agent
