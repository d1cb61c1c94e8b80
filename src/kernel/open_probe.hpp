// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/probe.hpp>

#include <memory>
#include <string>

namespace wcs_node_agent {

/// A probe that works here, and what should be known of it.
struct OpenedProbe {
    std::unique_ptr<Probe> probe;
    std::string detail;            // how it counts, or what eBPF lacks
    bool needs_net_admin = false;  // to follow interfaces that appear later
};

/// Opens what was asked for. auto_detect takes /proc where eBPF cannot be used; the error of ebpf
/// says what is missing and how to grant it.
Result<OpenedProbe> open_probe(SourceChoice choice);

}  // namespace wcs_node_agent
