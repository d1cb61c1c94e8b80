// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/limits.hpp>
#include <wcs_node_agent/weight.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

enum class NodeState { up, down, drain, maint };

inline constexpr std::array all_node_states{NodeState::up, NodeState::down, NodeState::drain,
                                            NodeState::maint};

constexpr std::string_view to_string(NodeState state) {
    constexpr std::array<std::string_view, all_node_states.size()> names{"up", "down", "drain",
                                                                         "maint"};
    return names[static_cast<std::size_t>(state)];
}

/// What happens once the value of a limit has been unknown for longer than stale_after.
enum class WhenStale {
    down,    // take the node out
    drain,   // give it no new streams
    hold,    // go on with the last value, however old
    ignore,  // go on without the limit
};

/// How one limit stands. Without a maximum it is not checked, or the link's speed is not known.
struct LimitReading {
    std::string name;
    LimitValue held = LimitValue::cpu;  // what value is of
    LimitUnit unit = LimitUnit::percent;
    bool soft = false;
    std::optional<double> value = {};    // in the limit's own unit
    std::optional<double> maximum = {};  // greater than 0
    std::optional<double> utilisation =
        {};                            // value / maximum, where both are known and it is checked
    std::optional<double> share = {};  // percent of the link's speed that maximum is, if it is one
    std::string unknown = {};          // why the value of an enabled limit is; empty: it is known
    bool at_least = false;             // the value is a part of the true one
};

/// When a node got into its state, and what it was that changed.
struct StateChange {
    Clock::time_point at;
    std::chrono::system_clock::time_point wall;  // the same moment for people
    std::string reason;                          // one line
};

/// What the load balancer is told, and why.
struct Verdict {
    NodeState state = NodeState::up;
    Weight weight;       // 0 % unless up
    std::string reason;  // one line, without CR or LF; while up: soft limits, what is unknown
    std::vector<LimitReading> readings;  // one for each limit, in their order
    std::string bottleneck;  // name of the most used limit; empty where nothing is checked
    std::optional<StateChange> changed = {};  // into this state; none before the first reply
};

}  // namespace wcs_node_agent
