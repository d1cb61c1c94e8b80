// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/link.hpp>
#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/source.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <sys/types.h>

namespace wcs_node_agent {

/// The interfaces that are queued for Probe::attach_next().
enum class Pending {
    none,
    others,    // none of the priority ones
    priority,  // one of those comes next
};

/// Reads the node's traffic and CPU time. Two kinds: eBPF programs, and /proc where those cannot be
/// used.
class Probe {
 public:
    Probe() = default;
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;
    virtual ~Probe() = default;

    virtual Source source() const = 0;

    /// Call it whenever the links have changed. Ends the counting on those that have gone, and
    /// queues the new ones for attach_next(): first those of the priority indexes (ascending).
    /// touched: the links that may have lost their hooks; none: any may.
    virtual void set_links(std::span<const Link> links, std::span<const std::uint32_t> priority,
                           const std::optional<std::set<std::uint32_t>>& touched = {}) = 0;

    /// Begins to count on the next interface of the queue, if there is any, which can take tens of
    /// milliseconds. One that the kernel refuses is logged once and left out. Returns pending().
    virtual Pending attach_next() = 0;

    virtual Pending pending() const = 0;

    /// Attaches anew on an interface that has stopped counting though frames cross it, in front of
    /// what others have there. Its totals go on, `since` is new. Takes as long as attach_next(); a
    /// failure is logged, and the interface is not counted until set_links() queues it again.
    virtual void repair(std::uint32_t /*index*/) {}

    /// Ends the counting on one interface, which can take tens of milliseconds, unless it is to go
    /// on without this process. How many are left.
    virtual std::size_t detach_next() { return 0; }

    /// What this process holds beyond its end will be another user's to change: its own, in a
    /// moment.
    virtual Result<void> give_to(uid_t, gid_t) { return {}; }

    /// Has more counted of these interfaces (ascending) from now on, also of those to which it
    /// attaches later, and of no others: drops by reason and, with peaks, traffic in buckets, which
    /// begin anew. Not every source can.
    virtual void select(std::span<const std::uint32_t> /*indexes*/, bool /*peaks*/) {}

    /// All counters as they stand now.
    virtual Result<RawCounters> read() = 0;
};

}  // namespace wcs_node_agent
