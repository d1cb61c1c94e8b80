// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/verdict.hpp>

#include <array>
#include <cstdint>

namespace wcs_node_agent {

/// What the agent counts of its own work. One thread writes and reads it.
struct AgentCounters {
    std::array<std::uint64_t, all_node_states.size()> checks{};  // answered, by NodeState
    std::uint64_t rejected_connections = 0;                      // sources not allowed, either port
    std::uint64_t displaced_connections = 0;                     // made room for others
    std::uint64_t scrapes = 0;                                   // /metrics served
    std::uint64_t sample_failures = 0;                           // probe readings that failed
};

}  // namespace wcs_node_agent
