// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/workload.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace wcs_node_agent::balance {

namespace {

/// Logarithms of lengths: a tenth of the sessions last a third of all session time.
constexpr double length_deviation = 1.2;
constexpr double shortest_ramp = 5, longest_ramp = 20;  // s

constexpr double crowd_rate = 10, crowd_lasts = 30;  // times, s
constexpr double day = 3600, day_amplitude = 0.4;    // s, of the mean

constexpr std::array<Workload, 15> workloads{{
    {.name = "steady", .about = "80 % of capacity", .load = 0.8},
    {.name = "busy", .about = "92 % of capacity", .load = 0.92},
    {.name = "full", .about = "95 % of capacity", .load = 0.95},
    {.name = "diurnal",
     .about = "between 39 and 91 % within an hour",
     .load = 0.65,
     .shape = Shape::diurnal},
    {.name = "flash-crowd",
     .about = "60 %, and for 30 s ten times the arrivals: more than there is room for",
     .load = 0.6,
     .shape = Shape::flash_crowd},
    {.name = "unequal",
     .about = "nodes of capacity 1, 2 and 4 in turn, 80 %",
     .load = 0.8,
     .capacity = "1:2:4"},
    {.name = "cpu-bound",
     .about = "CPU is the tightest limit, 85 %",
     .load = 0.85,
     .share = {1, 0.3}},
    {.name = "band-bound",
     .about = "bandwidth is the tightest limit, 85 %",
     .load = 0.85,
     .share = {0.2, 1}},
    {.name = "join",
     .about = "70 %, and an empty node comes to it",
     .load = 0.7,
     .fault = Fault::join},
    {.name = "death",
     .about = "70 %, and a node dies for 15 min; its sessions come again within 5 s",
     .load = 0.7,
     .fault = Fault::death},
    {.name = "silence",
     .about = "70 %, and WCS of a node hangs for 5 min: what goes there is lost",
     .load = 0.7,
     .fault = Fault::silence},
    {.name = "restarts",
     .about = "80 %, and all agents are restarted within 10 min",
     .load = 0.8,
     .fault = Fault::restarts},
    {.name = "two-balancers", .about = "80 %, by two balancers", .load = 0.8, .balancers = 2},
    {.name = "twenty-balancers", .about = "80 %, by 20 balancers", .load = 0.8, .balancers = 20},
    {.name = "alike", .about = "80 %, all sessions cost the same", .load = 0.8, .spread = 1},
}};

}  // namespace

double Workload::rate(double now) const {
    switch (shape) {
        case Shape::even:
            return 1;
        case Shape::diurnal:
            return 1 - day_amplitude * std::cos(2 * std::numbers::pi * now / day);
        case Shape::flash_crowd:
            return now >= fault_at && now < fault_at + crowd_lasts ? crowd_rate : 1;
    }
    return 1;
}

double Workload::highest_rate() const {
    switch (shape) {
        case Shape::even:
            return 1;
        case Shape::diurnal:
            return 1 + day_amplitude;
        case Shape::flash_crowd:
            return crowd_rate;
    }
    return 1;
}

std::span<const Workload> all_workloads() { return workloads; }

std::optional<Workload> workload_named(std::string_view name) {
    const auto* found = std::ranges::find(workloads, name, &Workload::name);
    if (found == workloads.end()) return std::nullopt;
    return *found;
}

Demand Sessions::draw(Random& random) const {
    const double median = mean_length_ * std::exp(-length_deviation * length_deviation / 2);
    const double length = median * std::exp(length_deviation * random.normal());
    const double ramp = random.uniform(shortest_ramp, longest_ramp);
    return {length, ramp, cost(random)};
}

Demand Sessions::draw_left(Random& random) const {
    // Who is met at a moment is met in proportion to length, at any point of it: lengths have the
    // same deviation about a greater median.
    const double median = mean_length_ * std::exp(length_deviation * length_deviation / 2);
    const double length = median * std::exp(length_deviation * random.normal());
    return {length * random.uniform(), 0, cost(random)};
}

/// Even in its logarithm; 1 in the mean.
double Sessions::size(Random& random) const {
    const double spread = workload_.spread;
    const double place = random.uniform();  // drawn in any case, so that others stay the same
    if (spread <= 1) return 1;
    return std::pow(spread, place) * std::log(spread) / (spread - 1);
}

PerResource Sessions::cost(Random& random) const {
    const double size_by_room = size(random) / room_;
    PerResource cost;
    for (std::size_t i = 0; i < resource_count; ++i)
        cost[i] = size_by_room * workload_.share[i] * resource_limits[i];
    return cost;
}

}  // namespace wcs_node_agent::balance
