// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/link.hpp>
#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/source.hpp>

#include <span>

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

    /// Counts on exactly these interfaces from now on; call it whenever the links have changed.
    /// An interface that cannot be followed is logged once and left out; the others go on.
    virtual void follow(std::span<const Link> links) = 0;

    /// All counters as they stand now.
    virtual Result<RawCounters> read() = 0;
};

}  // namespace wcs_node_agent
