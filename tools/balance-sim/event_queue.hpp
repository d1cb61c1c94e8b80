// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <tuple>
#include <vector>

namespace wcs_node_agent::balance {

enum class EventKind : std::uint8_t {
    full_height,  // a session costs all that it will
    session_end,
    give_up,     // a session has waited in the queue for long enough
    retry,       // a session comes again: its node refused it, or died
    slow_start,  // the next step of a server
    node_dies,
    node_returns,
    notices,  // a balancer's health check has changed its mind
    wcs_hangs,
    wcs_answers,
    agent_stops,
    agent_starts,
    node_joins,
};

/// What a number means depends on the kind: a session and its generation, a balancer and a server,
/// a node.
struct Event {
    double at;
    std::uint64_t order;  // of two at the same moment the one that was planned first
    EventKind kind;
    std::uint32_t subject;
    std::uint32_t detail;

    bool operator>(const Event& other) const {
        return std::tie(at, order) > std::tie(other.at, other.order);
    }
};

class EventQueue {
 public:
    void plan(double at, EventKind kind, std::uint32_t subject, std::uint32_t detail = 0) {
        events_.push({at, planned_++, kind, subject, detail});
    }
    bool empty() const { return events_.empty(); }
    double next_at() const { return events_.top().at; }
    Event pop() {
        const auto event = events_.top();
        events_.pop();
        return event;
    }

 private:
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::uint64_t planned_ = 0;
};

}  // namespace wcs_node_agent::balance
