// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "load/capacity.hpp"

#include <wcs_node_agent/clock.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>

namespace wcs_node_agent {

/// Follows the speed of the links that limits are a share of, and logs what changes. Without such a
/// limit it asks nobody.
class CapacityFollower {
 public:
    /// Mbit/s of an interface by name, none where it is not known: link_speed().
    using ReadSpeed = std::function<std::optional<std::uint32_t>(const std::string&)>;

    explicit CapacityFollower(ReadSpeed read_speed) : read_speed_(std::move(read_speed)) {}

    /// One for each share that could not be taken now, as the speed of a selected link is not
    /// known.
    ConfigErrors check(const Limits& limits, std::span<const Link> links,
                       std::span<const std::uint32_t> selected);

    /// The links, the selection or the limits have changed: the next capacity() reads the speeds
    /// anew.
    void expect_change() { due_ = Clock::time_point::min(); }

    /// What the selected links can carry together at this moment, in Mbit/s; none where no limit is
    /// a share of it, or it is not known. Reads the speeds when a change is expected, and every 5
    /// s.
    std::optional<double> capacity(const Limits& limits, std::span<const Link> links,
                                   std::span<const std::uint32_t> selected, Clock::time_point now);

 private:
    LinkSpeeds read_speeds(std::span<const Link> links,
                           std::span<const std::uint32_t> selected) const;
    /// Its speed, if a wire has it. levels: the kernel stacks no more than 8 (MAX_NEST_DEV).
    std::optional<std::uint32_t> speed_of(const Link& link, std::span<const Link> links,
                                          int levels = 8) const;
    void remember(std::span<const Link> links, std::span<const std::uint32_t> selected,
                  LinkSpeeds now);
    void log_transition(const Limits& limits, std::span<const Link> links,
                        std::span<const std::uint32_t> selected, const Capacity& capacity);

    ReadSpeed read_speed_;
    LinkSpeeds speeds_;               // the last that was known of each link that is there
    std::set<std::uint32_t> silent_;  // links of which the last speed stands
    Clock::time_point due_ = Clock::time_point::min();
    Capacity capacity_;
    std::optional<Capacity> logged_;
};

}  // namespace wcs_node_agent
