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

/// Why a node is not up, where it is not a limit that is exceeded: labels of metrics, beside the
/// limits' names, of which none may be one of these.
namespace causes {
inline constexpr std::string_view start = "start";            // the first reply is not due yet
inline constexpr std::string_view wcs_silent = "wcs_silent";  // by when_stale
inline constexpr std::string_view unreadable = "unreadable";  // by when_unreadable
inline constexpr std::string_view no_sample = "no_sample";    // the same, of all at once
inline constexpr std::string_view by_operator = "operator";   // drain or maint
inline constexpr std::array all{start, wcs_silent, unreadable, no_sample, by_operator};
}  // namespace causes

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
    std::optional<double> up_again_below = {};  // in the same unit; of the one that keeps the node
                                                // down
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
    std::string bottleneck;  // name of the limit that decided the state, of a node that is up of
                             // the most used one; empty where none did
    std::string cause;       // while not up: the name of the limit that is exceeded, or of `causes`
    std::optional<StateChange> changed = {};  // into this state; none before the first reply
    std::optional<NodeState> judged = {};     // the state but for the operator's drain or maint;
                                              // none: the operator says neither
};

}  // namespace wcs_node_agent
