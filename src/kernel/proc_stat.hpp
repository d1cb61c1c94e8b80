// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/cpu_times.hpp"
#include "kernel/procfs_file.hpp"

#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/result.hpp>

#include <filesystem>
#include <vector>

namespace wcs_node_agent {

/// The CPUs that are online, by /proc/stat. In containers that file may be another program's
/// (lxcfs), which can end at any time: that takes away the figures of the CPUs and no others.
class ProcStat {
 public:
    /// by: `idle` holds while the file is the kernel's own.
    explicit ProcStat(std::filesystem::path path = "/proc/stat", BusyBy by = BusyBy::ticks)
        : file_(std::move(path)), by_(by) {}

    /// As they are now. A change from readable to not is logged, once.
    Result<std::vector<CpuCounters>> read();

    /// Whether the file is the kernel's own.
    bool is_kernels() const { return file_.is_kernels(); }

 private:
    Result<std::vector<CpuCounters>> read_times();

    ProcFile file_;
    BusyBy by_;
    CpuTimes times_;
    bool failing_ = false;
};

}  // namespace wcs_node_agent
