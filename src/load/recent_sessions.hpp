// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace wcs_node_agent {

/// The count, unless no page of a node could mean it: below 0, beyond all bounds, not a number.
std::optional<double> plausible_count(const std::optional<double>& count);

/// Streams of a node at one moment; what is not known is absent.
struct SessionCounts {
    std::optional<double> publishers = {}, subscribers = {}, hls = {};

    /// Of what is known; none if nothing is.
    std::optional<double> sum() const;
};

/// Sessions that came and went between two looks at the page, as far as counts show it.
struct SessionChange {
    double came = 0;
    double left = 0;
};

/// The sessions that came lately. The page gives counts alone, so what came is what a count grew
/// by. What a count fell by may have been any of the sessions: the recent ones lose the same share
/// as all. A count that was unknown is a new beginning. Memory is bounded: what comes within a 64th
/// of the period is one group.
class RecentSessions {
 public:
    using Time = std::chrono::nanoseconds;  // from any origin; never falls

    /// What changed since the last.
    SessionChange observe(const SessionCounts& counts, Time now, std::chrono::nanoseconds period);

    /// The sum over them of 1 - age / period: of a load that rises evenly the part that is missing.
    /// Up to the number of all sessions.
    double missing(Time now, std::chrono::nanoseconds period) const;

 private:
    struct Group {
        Time came{};
        double sessions = 0;
    };
    static constexpr std::size_t most_groups = 64;

    void add(double sessions, Time now, std::chrono::nanoseconds period);
    void keep(double share);

    std::array<Group, most_groups> groups_{};  // a ring
    std::size_t newest_ = 0;
    SessionCounts last_;
};

}  // namespace wcs_node_agent
