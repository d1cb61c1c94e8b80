// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/link.hpp>
#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/source.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <sys/types.h>

namespace wcs_node_agent {

/// Reads the node's traffic and CPU time. Two kinds: eBPF programs, and /proc where those cannot be
/// used.
class Probe {
 public:
    Probe() = default;
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;
    virtual ~Probe() = default;

    virtual Source source() const = 0;

    /// Call it whenever the links have changed. Ends the counting on those that have gone, and lets
    /// the new ones wait for follow_next(): first those of these indexes (ascending). Returns how
    /// many of those wait.
    virtual std::size_t follow(std::span<const Link> links,
                               std::span<const std::uint32_t> first) = 0;

    /// Begins to count on one that waits, which can take tens of milliseconds. An interface that
    /// cannot be followed is logged once and left out. True: more wait.
    virtual bool follow_next() = 0;

    /// Begins to count on all of them before it returns.
    void follow_all(std::span<const Link> links) {
        follow(links, {});
        while (follow_next()) {
        }
    }

    /// What this process holds beyond its end will be another user's to change: its own, in a
    /// moment.
    virtual Result<void> give_to(uid_t, gid_t) { return {}; }

    /// The sum over these interfaces as it stands now, read so cheaply that it can be done many
    /// times a second. None where that is not possible.
    virtual std::optional<TrafficTotals> totals(std::span<const std::uint32_t> indexes) = 0;

    /// All counters as they stand now.
    virtual Result<RawCounters> read() = 0;
};

}  // namespace wcs_node_agent
