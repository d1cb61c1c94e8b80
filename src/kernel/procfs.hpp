// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/device_counters.hpp"
#include "kernel/monotonic_traffic.hpp"
#include "kernel/proc_stat.hpp"
#include "kernel/procfs_file.hpp"

#include <wcs_node_agent/probe.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// The interfaces of /proc/net/dev in its order, with index 0: the file does not have it.
std::vector<InterfaceCounters> parse_net_dev(std::string_view net_dev);

/// None where netlink does not answer that, as before Linux 4.7 or in a sandbox.
std::optional<DeviceCounters> answering_device_counters();

/// The fallback where eBPF cannot be used. Coarser: CPU time is the time not idle, cut to 10 ms, or
/// sampled at the tick where the kernel always ticks, and a GRO or GSO aggregate counts as one
/// packet. Without devices, interfaces are found by their names in /proc/net/dev: until set_links()
/// has the new ones, a name may be another interface's.
class ProcfsProbe : public Probe {
 public:
    /// root: where proc is mounted. The error: neither netlink nor /proc/net/dev has interfaces.
    static Result<std::unique_ptr<ProcfsProbe>> open(
        const std::filesystem::path& root = "/proc",
        std::optional<DeviceCounters> devices = answering_device_counters());

    Source source() const override { return Source::procfs; }
    void set_links(std::span<const Link> links, std::span<const std::uint32_t> priority,
                   const std::optional<std::set<std::uint32_t>>& touched = {}) override;
    Pending attach_next() override { return Pending::none; }
    Pending pending() const override { return Pending::none; }
    Result<RawCounters> read() override;

 private:
    ProcfsProbe(const std::filesystem::path& root, std::optional<DeviceCounters> devices);
    Result<std::vector<InterfaceCounters>> read_interfaces();

    ProcFile net_dev_;
    ProcStat stat_;
    std::optional<DeviceCounters> devices_;
    std::map<std::uint32_t, std::string> names_;         // of those followed, by index
    std::map<std::uint32_t, MonotonicTraffic> traffic_;  // by index
};

}  // namespace wcs_node_agent
