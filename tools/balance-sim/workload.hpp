// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/limits.hpp"
#include "balance-sim/node.hpp"
#include "balance-sim/random.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace wcs_node_agent::balance {

enum class Shape { even, diurnal, flash_crowd };
enum class Fault {
    none,
    join,     // the last node is there from join_at on, empty
    death,    // the first node dies with its sessions, which come again; it returns later
    silence,  // WCS of the first node hangs for a while: its port accepts, its page does not answer
    restarts,  // the agents are restarted one after the other
};

/// When a fault happens, in s of measured time.
inline constexpr double fault_at = 600;
inline constexpr double death_lasts = 900;
inline constexpr double silence_lasts = 300;
inline constexpr double restarts_last = 600;
inline constexpr double restart_lasts = 2;

/// What comes at the nodes. Sessions come as a Poisson process.
struct Workload {
    std::string_view name;
    std::string_view about;
    double load;  // of the nodes' capacity together, in the mean
    Shape shape = Shape::even;
    Fault fault = Fault::none;
    std::string_view capacity = "1";  // of the nodes in turn
    unsigned balancers = 1;
    PerResource share{0.7, 1};  // of the limits, by as many sessions as there is room for
    double spread = 10;         // the costliest session by the cheapest

    /// How many times the mean rate sessions come at now.
    double rate(double now) const;
    double highest_rate() const;
};

std::span<const Workload> all_workloads();
std::optional<Workload> workload_named(std::string_view name);

/// A session as it arrives. It is no property of the policy: the same for all, by seed.
struct Demand {
    double length;     // s
    double ramp;       // s, until it costs its full height
    PerResource cost;  // units of resource_limits
};

/// What sessions are like.
class Sessions {
 public:
    /// mean_length: s. room: how many mean ones make utilisation 1 of a node of capacity 1.
    Sessions(const Workload& workload, double mean_length, double room)
        : workload_(workload), mean_length_(mean_length), room_(room) {}

    Demand draw(Random& random) const;

    /// One that has been going on: what is left of it, as at any moment of a steady state.
    Demand draw_left(Random& random) const;

 private:
    double size(Random& random) const;
    PerResource cost(Random& random) const;

    const Workload& workload_;
    double mean_length_;
    double room_;
};

}  // namespace wcs_node_agent::balance
