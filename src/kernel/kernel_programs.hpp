// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/pin_folder.hpp"

#include <wcs_node_agent/descriptor.hpp>
#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/result.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace wcs_node_agent {

/// What the kernel programs are loaded with.
struct ProgramOptions {
    std::uint32_t cpus = 0;   // see cpu_array_size()
    std::uint16_t slots = 0;  // interfaces with counters of their own, and one more
    bool idle_halts = false;
    std::uint8_t bucket_shift = 0;  // of ticks: their bucket
};

/// A program on a tracepoint.
struct TracingProgram {
    std::string name;  // that of its function
    Descriptor link;
    Descriptor program;
};

/// The kernel side while it is held: closing the descriptors ends it, unless it is pinned.
struct KernelPrograms {
    Descriptor receive, transmit;  // programs, to be attached to interfaces
    Descriptor traffic, rings, drops, cpu_times, interfaces;  // maps
    std::vector<TracingProgram> tracing;
    QdiscDrops qdisc_drops = QdiscDrops::count_as_sent;
    std::vector<std::string> drop_reasons = {};  // see drop_reason_names()
    std::uint16_t slots = 0;                     // as in ProgramOptions
};

/// Loads the programs, and attaches those on tracepoints. The error says which step failed, and the
/// kernel's reason.
Result<KernelPrograms> load_programs(const ProgramOptions& options);

/// Leaves all of it in the folder; what was there before is removed.
Result<void> pin_programs(const KernelPrograms& programs, const ProgramOptions& options,
                          const PinFolder& folder);

/// What an earlier process left in the folder, if it is the same that load_programs() would load:
/// the same programs with the same options, so the same memory, but for the number of slots, which
/// stays what it was. The error says what differs.
Result<KernelPrograms> take_over_programs(const ProgramOptions& options, const PinFolder& folder);

}  // namespace wcs_node_agent
