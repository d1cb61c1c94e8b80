// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/verdict.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

namespace wcs_node_agent {

/// The last agent check that was answered, or connection that was refused.
struct LastRequest {
    boost::asio::ip::address source;
    Clock::time_point at;
    std::string text;  // the reply without its newline; of a refused one the setting of the port
};

/// What is counted of the agent checks at some of the agent's endpoints.
struct CheckCounters {
    std::array<std::uint64_t, all_node_states.size()> checks{};  // answered, by NodeState
    std::size_t balancers = 0;                                   // sources that ask regularly
};

/// What the agent counts of its own work, with the checks at the node's own endpoints. One thread
/// writes and reads it.
struct AgentCounters : CheckCounters {
    std::uint64_t rejected_connections = 0;   // sources not allowed, either port
    std::uint64_t displaced_connections = 0;  // evicted by newer ones
    std::uint64_t scrapes = 0;                // /metrics served
    std::uint64_t sample_failures = 0;        // probe readings that failed
    std::uint64_t reloads = 0;                // those that took effect
    std::uint64_t failed_reloads = 0;         // those that changed nothing
    std::uint64_t lost_log_lines = 0;         // that could not be written
    std::optional<LastRequest> last_check = {};
    std::optional<LastRequest> last_refused = {};
};

/// One counter of AgentCounters that has no labels.
struct AgentCounter {
    std::uint64_t AgentCounters::*value;
    std::string_view name;  // the key in /status; in /metrics wcs_node_agent_NAME_total
    std::string_view help;  // its HELP text
};

inline constexpr std::array<AgentCounter, 7> all_agent_counters{{
    {&AgentCounters::rejected_connections, "rejected_connections",
     "Connections closed without a byte because their source is not allowed."},
    {&AgentCounters::displaced_connections, "displaced_connections",
     "Connections evicted by newer ones: too many from one source, or in all."},
    {&AgentCounters::scrapes, "scrapes", "Number of scrapes of /metrics."},
    {&AgentCounters::sample_failures, "sample_failures",
     "Readings of the traffic and CPU counters that failed."},
    {&AgentCounters::reloads, "reloads", "Reloads of the configuration that took effect."},
    {&AgentCounters::failed_reloads, "failed_reloads",
     "Reloads that changed nothing because of an error, which is in the log."},
    {&AgentCounters::lost_log_lines, "lost_log_lines",
     "Lines of the log that could not be written."},
}};

}  // namespace wcs_node_agent
