// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace wcs_node_agent {

/// One figure that the history keeps.
struct HistorySeries {
    enum class Keeps { last, highest, lowest };  // which of a second's values

    std::string_view name;  // the key in /history, with its unit
    Keeps keeps;
    bool measured;  // by the sample, so that without a new one it is unknown
    int decimals;   // worth showing
    std::optional<double> (*value)(const Snapshot&);
};

inline constexpr std::size_t history_series_count = 12;
extern const std::array<HistorySeries, history_series_count> all_history_series;

/// The last 15 minutes, one point a second, in memory of a fixed size. Seconds are numbered from
/// the Clock's epoch, so they go on where the agent is started again. What was not known in a
/// second is absent, never 0.
class History {
 public:
    static constexpr std::size_t capacity = 900;  // seconds that are over

    /// Seconds between publications no further apart than this are of the later one: samples may
    /// be rarer than points. Longer times are gaps.
    void set_longest_pause(std::chrono::nanoseconds pause) { longest_pause_ = pause; }

    /// What was published at `now`, which never goes back.
    void add(const Snapshot& snapshot, Clock::time_point now);

    /// The seconds that are over: [first, end), empty before the first one is.
    struct Span {
        std::int64_t first = 0;
        std::int64_t end = 0;
    };
    Span seconds() const;

    /// Of one of seconds(); `series` is an index of all_history_series.
    std::optional<double> value(std::int64_t second, std::size_t series) const;

 private:
    using Point = std::array<float, history_series_count>;

    static constexpr float unknown = std::numeric_limits<float>::quiet_NaN();
    static constexpr Point gap = [] {
        Point point;
        point.fill(unknown);
        return point;
    }();

    static constexpr std::size_t slots = capacity + 1;  // and the second under way

    static std::size_t slot(std::int64_t second) {
        return static_cast<std::size_t>(second) % slots;
    }
    void begin(std::int64_t second, bool bridges, const Point& point);

    std::array<Point, slots> points_{};  // by slot()
    std::optional<std::int64_t> first_;  // of all seconds
    std::int64_t current_ = 0;           // the second under way
    Clock::time_point added_at_;
    Clock::time_point sampled_at_;
    std::chrono::nanoseconds longest_pause_ = std::chrono::seconds(2);
};

}  // namespace wcs_node_agent
