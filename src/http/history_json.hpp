// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/history.hpp"

#include <wcs_node_agent/clock.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace wcs_node_agent {

/// A moment by both clocks.
struct BothClocks {
    Clock::time_point steady;
    std::chrono::system_clock::time_point wall;

    static BothClocks now() {
        return {.steady = Clock::now(), .wall = std::chrono::system_clock::now()};
    }
};

/// The seconds after this one, at most a minute. Where it is none of those, as after a reboot or
/// for a client that was away: all of them.
History::Span newer_than(const History& history, std::int64_t second);

/// These seconds as one JSON object with an array for each series, in which null is unknown.
std::string history_json(const History& history, History::Span span, BothClocks now);

}  // namespace wcs_node_agent
