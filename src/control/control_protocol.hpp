// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/operator_word.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// What goes over the control socket: a connection is one request, a line of one word, and its
// reply, a line of JSON.

namespace wcs_node_agent {

inline constexpr std::size_t longest_request = 64;            // bytes, its newline included
inline constexpr std::string_view look_request = "look";      // changes nothing
inline constexpr std::string_view reload_request = "reload";  // the reply comes once it is over

/// The word that a request says. None: it is none of them.
std::optional<Word> word_in(std::string_view request);

/// Sessions on the node by the last page of WCS.
struct SessionsLeft {
    std::optional<double> count = {};  // publishers, subscribers and HLS streams; none: unknown
    std::string unknown = {};          // why, in one line
    double page_age = 0;               // seconds since WCS gave the count

    bool operator==(const SessionsLeft&) const = default;
};

/// Unknown as soon as the last fetch failed: a node whose WCS is silent is not an empty one.
SessionsLeft sessions_left(const Snapshot* snapshot, Clock::time_point now);

struct ControlReply {
    std::string error;     // why nothing was done; empty: it was
    OperatorWord word;     // that holds now
    bool changed = false;  // by this request
    std::string not_kept;  // why a restart of the agent would not know it; empty: it would
    SessionsLeft sessions;
    std::size_t silent = 0;          // balancers that have not asked since the word
    std::size_t awaiting_ready = 0;  // balancers that have to hear `ready` yet

    bool operator==(const ControlReply&) const = default;
};

/// One line with its newline.
std::string to_line(const ControlReply& reply);

/// None: that is no reply of an agent's.
std::optional<ControlReply> read_reply(std::string_view line);

}  // namespace wcs_node_agent
