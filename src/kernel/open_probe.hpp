// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/pin_folder.hpp"
#include "kernel/traffic_control.hpp"

#include <wcs_node_agent/probe.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace wcs_node_agent {

/// A probe that works here, and what should be known of it.
struct OpenedProbe {
    std::unique_ptr<Probe> probe;
    std::string detail;                          // how it counts, or what eBPF lacks
    bool needs_net_admin = false;                // to follow interfaces that appear later
    std::string pinning = {};                    // what was found in the folder; empty: nothing
    std::optional<OwnFilters> own_filters = {};  // for LinkMonitor to watch over
};

/// Opens what was asked for. auto_detect takes /proc where eBPF cannot be used; the error of ebpf
/// says what is missing and how to grant it.
///
/// With a folder, what is loaded is left there, or what an earlier agent left is taken over.
Result<OpenedProbe> open_probe(SourceChoice choice, std::optional<PinFolder> pins = {});

/// Ends what an earlier agent left in the folder, and removes that; how many objects there were.
std::size_t unpin(const PinFolder& folder);

}  // namespace wcs_node_agent
