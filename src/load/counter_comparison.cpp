// SPDX-License-Identifier: Apache-2.0
#include "load/counter_comparison.hpp"

#include <algorithm>

namespace wcs_node_agent {

namespace {

/// What a device may count of a frame beside what we count, or leave out of it: the Ethernet header
/// and two VLAN tags, the frame check sequence and padding to 64 bytes.
constexpr std::uint64_t frame_overhead = 24;
/// Outer headers, IPv6 and WireGuard's padding included.
constexpr std::uint64_t tunnel_overhead = 160;

/// Both are read one after the other, and a card reads its own in its own time.
struct Slack {
    std::uint64_t bytes;
    std::uint64_t packets;
};
constexpr Slack at_once{.bytes = 4 * 1024, .packets = 3};
constexpr Slack late{.bytes = 256 * 1024, .packets = 64};

constexpr std::uint64_t two_percent(std::uint64_t bytes) { return bytes / 50; }

}  // namespace

Comparison compare(const Flow& ours, std::uint64_t repeated_bytes, const Flow& device,
                   const Lead& lead, const DeviceTraits& traits) {
    if (ours == Flow{} && device == Flow{}) return Comparison::idle;
    const auto& slack = traits.updates_late ? late : at_once;
    const auto overhead = traits.is_tunnel ? tunnel_overhead : frame_overhead;
    const auto tolerance = two_percent(device.bytes) + slack.bytes;

    const auto known = ours + lead.before;
    if (known.packets == 0 && device.packets > slack.packets) return Comparison::blind;
    if (device.bytes > known.bytes + overhead * known.packets + tolerance) return Comparison::blind;

    if (ours.bytes <= lead.queued.bytes) return Comparison::agrees;
    if (device.packets == 0 && ours.packets > slack.packets) return Comparison::excess;
    // The headers of one aggregate can be as many as its segments, but the device has a packet of
    // it at least.
    const auto most = device.bytes + repeated_bytes + overhead * device.packets;
    return ours.bytes - lead.queued.bytes > most + tolerance ? Comparison::excess
                                                             : Comparison::agrees;
}

Flow limited_by(const Flow& ours, std::uint64_t repeated_bytes, const Flow& device) {
    if (device.packets == 0) return {};
    const auto bytes = std::min(ours.bytes, device.bytes + repeated_bytes);
    if (repeated_bytes == 0) return {bytes, std::min(ours.packets, device.packets)};
    // Of aggregates the device may know the number only, not that of their segments.
    const auto share = static_cast<double>(bytes) / static_cast<double>(ours.bytes);
    const auto packets = static_cast<std::uint64_t>(static_cast<double>(ours.packets) * share);
    return {bytes, std::min(ours.packets, std::max(packets, device.packets))};
}

}  // namespace wcs_node_agent
