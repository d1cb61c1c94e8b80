// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/proc_stat.hpp"
#include "kernel/procfs_file.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/result.hpp>

#include <chrono>
#include <filesystem>
#include <vector>

namespace wcs_node_agent {

/// The CPUs that are online, and what was stolen from each. Which ones sysfs says, in microseconds;
/// the stolen time is in /proc/stat alone, which the kernel makes whole for each reader: hundreds
/// of CPUs with thousands of interrupts take it milliseconds. So that is read once in a while, or
/// when a CPU is new. In a container that file may be another program's, with CPUs of its own
/// numbering: then it alone is asked, each time.
class OnlineCpus {
 public:
    /// Prometheus asks for the stolen time every 15 s.
    static constexpr std::chrono::seconds stat_interval{5};

    explicit OnlineCpus(const std::filesystem::path& sys = "/sys",
                        const std::filesystem::path& proc = "/proc")
        : online_(sys / "devices/system/cpu/online"), stat_(proc / "stat") {}

    /// By number, ascending; busy time as /proc/stat had it last. Where neither file can be read
    /// they are the same as before, and an error where there were none yet.
    Result<std::vector<CpuCounters>> read(Clock::time_point now);

 private:
    ProcFile online_;
    ProcStat stat_;
    std::vector<CpuCounters> listed_;  // by /proc/stat, the last time
    Clock::time_point stat_due_ = Clock::time_point::min();
};

}  // namespace wcs_node_agent
