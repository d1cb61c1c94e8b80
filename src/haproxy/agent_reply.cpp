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
// operator set on HAProxy itself. So they are the operator's alone: a drain that was judged is the
// weight 0 %, which the next weight undoes. Health is said in full with them: without a health word
// HAProxy shows no reason, and what is over its limit takes no sticky sessions either.
std::string words(const Verdict& verdict) {
    if (verdict.judged)
        return fmt::format("{} {}", *verdict.judged == NodeState::down ? "down" : "up",
                           to_string(verdict.state));
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

std::string passing_reply(const Verdict& verdict) {
    Verdict passing = verdict;
    passing.judged.reset();
    if (verdict.judged == NodeState::down) passing.state = NodeState::down;
    return agent_reply(passing);
}

std::string with_ready(const std::string& reply) {
    const auto health = reply.find_first_of(" \n");
    return reply.substr(0, health) + " ready" + reply.substr(health);
}

}  // namespace wcs_node_agent
