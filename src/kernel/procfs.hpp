// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/cpu_times.hpp"
#include "kernel/device_counters.hpp"
#include "kernel/monotonic_traffic.hpp"

#include <wcs_node_agent/descriptor.hpp>
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

/// A file of /proc that is kept open and read again and again.
class ProcFile {
 public:
    static Result<ProcFile> open(const std::filesystem::path& path);

    /// The content as it is now; valid until the next read.
    Result<std::string_view> read();

 private:
    ProcFile(std::filesystem::path path, Descriptor descriptor);

    std::filesystem::path path_;
    Descriptor descriptor_;
    std::string buffer_;
};

/// None where netlink does not answer that, as before Linux 4.7 or in a sandbox.
std::optional<DeviceCounters> answering_device_counters();

/// The fallback where eBPF cannot be used. Coarser: CPU time is sampled at the tick, and a
/// GRO or GSO aggregate counts as one packet. Without devices, interfaces are found by their names
/// in /proc/net/dev: until set_links() has the new ones, a name may be another interface's.
class ProcfsProbe : public Probe {
 public:
    /// root: where proc is mounted.
    static Result<std::unique_ptr<ProcfsProbe>> open(
        const std::filesystem::path& root = "/proc",
        std::optional<DeviceCounters> devices = answering_device_counters());

    Source source() const override { return Source::procfs; }
    void set_links(std::span<const Link> links, std::span<const std::uint32_t> priority) override;
    Pending attach_next() override { return Pending::none; }
    Pending pending() const override { return Pending::none; }
    /// None: each interface costs a system call.
    std::optional<TrafficTotals> totals(std::span<const std::uint32_t>) override { return {}; }
    Result<RawCounters> read() override;

 private:
    ProcfsProbe(ProcFile net_dev, ProcFile stat, std::optional<DeviceCounters> devices);
    Result<std::vector<InterfaceCounters>> read_interfaces();

    ProcFile net_dev_;
    ProcFile stat_;
    CpuTimes cpu_times_;
    std::optional<DeviceCounters> devices_;
    std::map<std::uint32_t, std::string> names_;         // of those followed, by index
    std::map<std::uint32_t, MonotonicTraffic> traffic_;  // by index
};

}  // namespace wcs_node_agent
