// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/process_usage.hpp>
#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/receive_counters.hpp>
#include <wcs_node_agent/snapshot.hpp>
#include <wcs_node_agent/source.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wcs_node_agent {

/// What the agent measured at one moment, without WCS and without a verdict.
struct Sample {
    std::uint64_t revision = 0;  // of the configuration by which it was taken
    Source source = Source::procfs;
    std::string source_detail;  // why not eBPF, or empty
    RawCounters counters;       // their `at` is the moment
    std::vector<std::string> selected_interfaces;
    Rates rates;
    Peaks peaks;
    ReceiveCounters receive;
    ProcessUsage process;
    std::string bandwidth_unknown;        // why there is no rate; empty: the window is not full yet
    std::string peaks_unknown;            // why there is no peak; empty: its second is not over
    std::optional<double> link_capacity;  // Mbit/s of the selected interfaces, for shares
};

}  // namespace wcs_node_agent
