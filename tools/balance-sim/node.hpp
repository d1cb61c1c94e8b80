// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace wcs_node_agent::balance {

/// What a session takes of a node, and a node's limits: of each the cost in its own unit.
enum class Resource { cpu, band_out };
inline constexpr std::size_t resource_count = 2;
using PerResource = std::array<double, resource_count>;

/// The load of a node: sessions whose cost rises evenly to its full height add up to a line with
/// kinks, so that nothing need be computed between two of them.
class Load {
 public:
    /// at: s, any moment before the first advance.
    explicit Load(double at) : at_(at) {}

    /// now: not before that of any call so far; s.
    void advance(double now) {
        const double elapsed = now - at_;
        if (elapsed <= 0) return;
        for (std::size_t i = 0; i < resource_count; ++i) {
            integral_[i] += (value_[i] + slope_[i] * elapsed / 2) * elapsed;
            value_[i] = std::max(0.0, value_[i] + slope_[i] * elapsed);
        }
        at_ = now;
    }

    /// Both change by factor times the costs.
    void add_value(const PerResource& cost, double factor) {
        for (std::size_t i = 0; i < resource_count; ++i) value_[i] += cost[i] * factor;
    }
    void add_slope(const PerResource& cost, double factor) {
        for (std::size_t i = 0; i < resource_count; ++i) slope_[i] += cost[i] * factor;
    }

    const PerResource& value() const { return value_; }        // as of the last advance
    const PerResource& integral() const { return integral_; }  // unit x s, since the beginning

    /// Nothing goes on any more; what has been is kept.
    void clear() { value_ = slope_ = {}; }

 private:
    PerResource value_{}, slope_{}, integral_{};
    double at_;
};

/// A media node as it is. Its capacity stretches each limit alike: it serves so many times the
/// sessions of a node of capacity 1.
struct Node {
    Load load;
    double capacity = 1;
    bool alive = true;    // the host
    bool answers = true;  // WCS: its page and its sessions' handshakes
    bool agent_runs = true;
    unsigned sessions = 0;
    double reserved = 0;  // cost of the bottleneck once all sessions have their full height

    double used() const { return reserved / capacity; }  // by then
    bool takes_sessions() const { return alive && answers; }
};

}  // namespace wcs_node_agent::balance
