// SPDX-License-Identifier: Apache-2.0
#include "daemon/capacity_follower.hpp"

#include "config/value_text.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

/// A new speed comes with a message from RTNETLINK when the carrier went away for it, but not where
/// somebody sets it (ethtool -s on a tun, a hypervisor's figure in virtio). Most drivers answer
/// from memory; some ask the firmware (mlx5: tens of microseconds) or a transceiver over a slow bus
/// (a USB adapter: milliseconds), each time under the lock of all interfaces.
constexpr auto read_interval = std::chrono::seconds(5);

/// What no wire has: veth's driver always says 10 Gbit/s, tun's 10 Mbit/s (from Linux 6.0 on 10
/// Gbit/s) until somebody sets another (ethtool -s).
bool is_made_up(const Link& link, std::uint32_t speed) {
    return link.kind == "veth" || (link.kind == "tun" && (speed == 10 || speed == 10'000));
}

template <class Each>
void for_each_share(const Limits& limits, Each each) {
    for (const auto& limit : limits)
        if (limit.maximum && limit.maximum->is_share)
            each(limit.name, percent_text(limit.maximum->value));
}

}  // namespace

ConfigErrors CapacityFollower::check(const Limits& limits, std::span<const Link> links,
                                     std::span<const std::uint32_t> selected) {
    ConfigErrors errors;
    if (!has_share(limits)) return errors;
    auto speeds = read_speeds(links, selected);
    speeds.insert(speeds_.begin(), speeds_.end());
    const auto capacity = capacity_of(links, selected, speeds);
    if (capacity.speedless.empty()) return errors;
    for_each_share(limits, [&](const std::string& name, const std::string& share) {
        errors.push_back(
            {.where = name,
             .what = fmt::format("\"{}\" is a share of the link's speed, and the kernel reports "
                                 "none for {}: give the limit in Mbit/s",
                                 share, fmt::join(names_of(links, capacity.speedless), ", ")),
             .key = name});
    });
    return errors;
}

std::optional<double> CapacityFollower::capacity(const Limits& limits, std::span<const Link> links,
                                                 std::span<const std::uint32_t> selected,
                                                 Clock::time_point now) {
    if (!has_share(limits)) {
        logged_.reset();
        return std::nullopt;
    }
    if (now >= due_) {
        due_ = now + read_interval;
        remember(links, selected, read_speeds(links, selected));
        capacity_ = capacity_of(links, selected, speeds_);
        log_transition(limits, links, selected, capacity_);
    }
    return capacity_.megabits;
}

LinkSpeeds CapacityFollower::read_speeds(std::span<const Link> links,
                                         std::span<const std::uint32_t> selected) const {
    LinkSpeeds speeds;
    const auto wanted = speeds_wanted(links, selected);
    for (const auto& link : links)
        if (std::ranges::binary_search(wanted, link.index))
            if (const auto speed = speed_of(link, links)) speeds[link.index] = *speed;
    return speeds;
}

/// A bridge reports the highest speed among its ports, those of guests too. A bond, a team and what
/// stands on one device (VLAN, macvlan) have theirs from below.
std::optional<std::uint32_t> CapacityFollower::speed_of(const Link& link,
                                                        std::span<const Link> links,
                                                        int levels) const {
    auto speed = read_speed_(link.name);
    if (!speed || is_made_up(link, *speed) || levels == 0) return std::nullopt;
    if (link.kind == "bridge") speed.reset();
    for (const auto& below : links) {
        const bool is_port = below.master == link.index;
        if (link.kind == "bridge" && is_port)
            speed = std::max(speed, speed_of(below, links, levels - 1));
        else if (below.index == link.lower ||
                 (is_port && (link.kind == "bond" || link.kind == "team")))
            if (read_speed_(below.name) && !speed_of(below, links, levels - 1)) return std::nullopt;
    }
    return speed;
}

/// A link that has lost its speed, as with its carrier, keeps the last: a limit that fell with it
/// would take the node out for traffic that it no longer has.
void CapacityFollower::remember(std::span<const Link> links,
                                std::span<const std::uint32_t> selected, LinkSpeeds now) {
    std::set<std::uint32_t> silent;
    const auto wanted = speeds_wanted(links, selected);
    for (const auto& link : links) {
        const auto last = speeds_.find(link.index);
        if (last == speeds_.end() || !now.insert(*last).second) continue;
        if (!std::ranges::binary_search(wanted, link.index)) continue;  // was not asked
        silent.insert(link.index);
        if (!silent_.contains(link.index))
            spdlog::warn("the kernel reports no speed for {} any more: its last, {} Mbit/s, stands",
                         link.name, last->second);
    }
    speeds_ = std::move(now);
    silent_ = std::move(silent);
}

void CapacityFollower::log_transition(const Limits& limits, std::span<const Link> links,
                                      std::span<const std::uint32_t> selected,
                                      const Capacity& capacity) {
    if (logged_ == capacity) return;
    logged_ = capacity;
    if (selected.empty()) return;  // logged by who selects
    for_each_share(limits, [&](const std::string& name, const std::string& share) {
        if (capacity.megabits)
            spdlog::info("{}: {} of {:g} Mbit/s", name, share, *capacity.megabits);
        else
            spdlog::error(
                "{}: not checked: \"{}\" is a share of the link's speed, and the kernel "
                "reports none for {}",
                name, share,
                fmt::join(
                    names_of(links, capacity.speedless.empty() ? selected : capacity.speedless),
                    ", "));
    });
}

}  // namespace wcs_node_agent
