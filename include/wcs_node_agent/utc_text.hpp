// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include <fmt/chrono.h>

// Moments for people and programs: RFC 3339, in UTC.

namespace wcs_node_agent {

/// "2026-11-28T07:20:00Z", the second that has begun.
inline std::string utc_text(std::chrono::system_clock::time_point time) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(whole)));
}

/// "2026-11-28T07:20:00.250Z".
inline std::string utc_text_ms(std::chrono::system_clock::time_point time) {
    const auto part = std::chrono::floor<std::chrono::milliseconds>(time) -
                      std::chrono::floor<std::chrono::seconds>(time);
    auto text = utc_text(time);
    text.insert(text.size() - 1, fmt::format(".{:03}", part.count()));
    return text;
}

}  // namespace wcs_node_agent
