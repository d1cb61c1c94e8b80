// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/procfs_file.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/receive_counters.hpp>
#include <wcs_node_agent/result.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>

namespace wcs_node_agent {

/// Of /proc/net/snmp. None: it lacks one of the two columns.
std::optional<UdpCounters> parse_snmp(std::string_view snmp);

/// Of /proc/net/snmp6. None: it lacks one of the two lines.
std::optional<UdpCounters> parse_snmp6(std::string_view snmp6);

/// Adds up what each CPU has counted in /proc/net/softnet_stat. Its counters have 32 bits and wrap;
/// a CPU that is offline is not listed, and what it had counted stays in the sum.
class SoftnetTotals {
 public:
    /// The totals after this reading. None: the text has no CPU, or a line that is not the file's.
    std::optional<SoftnetCounters> update(std::string_view softnet_stat);

 private:
    struct Cpu {
        std::uint32_t dropped = 0;
        std::uint32_t time_squeeze = 0;
    };

    std::map<std::uint32_t, Cpu> cpus_;  // as last read, by number
    SoftnetCounters total_;
};

/// The files of /proc/net that say what is lost between the wire and the programs, of the network
/// namespace in which it was made. Each is read once a second, however often it is asked for; one
/// that cannot be read takes away its own figures.
class ReceiveFiles {
 public:
    /// net: where the kernel's files are.
    explicit ReceiveFiles(const std::filesystem::path& net = "/proc/net");

    /// As they were when last read. A change from readable to not is logged, once.
    const ReceiveCounters& read(Clock::time_point now);

    /// When that was.
    Clock::time_point read_at() const { return read_at_; }

 private:
    Result<UdpCounters> read_udp();
    Result<SoftnetCounters> read_softnet();

    ProcFile snmp_;
    ProcFile snmp6_;
    ProcFile softnet_stat_;
    SoftnetTotals softnet_;
    ReceiveCounters counters_;
    Clock::time_point read_at_ = Clock::time_point::min();
    bool udp_failing_ = false;
    bool softnet_failing_ = false;
};

}  // namespace wcs_node_agent
