// SPDX-License-Identifier: Apache-2.0
#include "haproxy/agent_reply.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

constexpr std::size_t max_reply = 200;  // bytes, the newline included

std::string bound(const Weight& weight) {
    return weight.maxconn ? fmt::format(" maxconn:{}", *weight.maxconn) : "";
}

// HAProxy's own words `drain` and `maint` stick until `ready`, and `ready` would also undo what an
// operator set on HAProxy itself. So a drain is the weight 0 %, which the next weight undoes, and
// maintenance is a `down`, which the next `up` undoes.
std::string words(const Verdict& verdict) {
    switch (verdict.state) {
        case NodeState::up:
            return fmt::format("up {}%{}", verdict.weight.percent, bound(verdict.weight));
        case NodeState::drain:
            return "up 0%";
        case NodeState::down:
        case NodeState::maint:
            break;
    }
    return "down";
}

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

}  // namespace

std::string agent_reply(const Verdict& verdict) {
    std::string reply = words(verdict);
    // The space before `#` matters: `down#text` is one unknown word and takes nothing down.
    if (!verdict.reason.empty()) reply += " # " + verdict.reason;
    std::replace_if(
        reply.begin(), reply.end(), [](char c) { return !is_printable(c); }, '?');
    reply.resize(std::min(reply.size(), max_reply - 1));
    return reply += '\n';
}

}  // namespace wcs_node_agent
