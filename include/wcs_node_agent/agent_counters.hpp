// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/verdict.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace wcs_node_agent {

/// What the agent counts of its own work. One thread writes and reads it.
struct AgentCounters {
    std::array<std::uint64_t, all_node_states.size()> checks{};  // answered, by NodeState
    std::uint64_t rejected_connections = 0;                      // sources not allowed, either port
    std::uint64_t displaced_connections = 0;                     // evicted by newer ones
    std::uint64_t scrapes = 0;                                   // /metrics served
    std::uint64_t sample_failures = 0;                           // probe readings that failed
};

/// One counter of AgentCounters that has no labels.
struct AgentCounter {
    std::uint64_t AgentCounters::*value;
    std::string_view name;  // the key in /status; in /metrics wcs_node_agent_NAME_total
    std::string_view help;  // its HELP text
};

inline constexpr std::array<AgentCounter, 4> all_agent_counters{{
    {&AgentCounters::rejected_connections, "rejected_connections",
     "Connections closed without a byte because their source is not allowed."},
    {&AgentCounters::displaced_connections, "displaced_connections",
     "Connections evicted by newer ones: too many from one source, or in all."},
    {&AgentCounters::scrapes, "scrapes", "Number of scrapes of /metrics."},
    {&AgentCounters::sample_failures, "sample_failures",
     "Readings of the traffic and CPU counters that failed."},
}};

}  // namespace wcs_node_agent
