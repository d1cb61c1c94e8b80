// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/raw_counters.hpp>

#include <optional>
#include <vector>

namespace wcs_node_agent {

struct KernelPrograms;

/// How often each kernel program ran and for how long, where the kernel keeps that
/// (kernel.bpf_stats_enabled) and tells it: before Linux 5.19 to CAP_SYS_ADMIN alone. Read every
/// 5 s at most.
class ProgramStatistics {
 public:
    /// interfaces: to which the programs that count traffic are attached.
    std::vector<ProgramCounters> read(const KernelPrograms& programs, std::size_t interfaces,
                                      Clock::time_point now);

 private:
    std::vector<ProgramCounters> last_;
    std::optional<Clock::time_point> read_at_;
};

}  // namespace wcs_node_agent
