// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "daemon/capacity_follower.hpp"
#include "daemon/device_witness.hpp"
#include "daemon/sample.hpp"
#include "kernel/link_speed.hpp"
#include "kernel/links.hpp"
#include "kernel/open_probe.hpp"
#include "kernel/receive_files.hpp"
#include "load/cpu_window.hpp"
#include "load/hottest_cpu.hpp"
#include "load/peak_meter.hpp"
#include "load/rate_window.hpp"
#include "load/selection.hpp"
#include "load/udp_loss.hpp"
#include "process/usage_reader.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// Brings the probe and the links together. Most of it asks the kernel, and waits where that does:
/// for the lock of all interfaces (RTNL), for an RCU grace period.
class Sampler {
 public:
    Sampler(OpenedProbe probe, LinkMonitor links, const Config& config);

    /// Takes effect with the next sample, which has this revision; what has been measured stays.
    void configure(const Config& config, std::uint64_t revision);

    /// Brings the links up to date and selects those that are included in the bandwidth limits.
    /// Those that are new are queued for attach_next(), the selected ones first.
    Result<void> refresh_links();

    /// What in a configuration does not go with the links as they are: see
    /// check_names() and CapacityFollower::check().
    ConfigErrors check(const Config& config);

    /// Whether an interface is queued for attach_next().
    bool has_pending_links() const { return probe_.probe->pending() != Pending::none; }

    /// Begins to count on the next interface of the queue.
    void attach_next() { probe_.probe->attach_next(); }

    /// Begins to count on all that are selected and queued.
    void attach_selected();

    /// See Probe::detach_next().
    std::size_t detach_next() { return probe_.probe->detach_next(); }

    /// See Probe::give_to().
    Result<void> give_to(uid_t user, gid_t group) { return probe_.probe->give_to(user, group); }

    /// Readable when the links should be refreshed.
    int link_descriptor() const { return links_.descriptor(); }

    /// Drains what netlink reported. True: refresh_links() is due.
    bool links_changed() { return links_.changed(); }

    /// Reads the counters. The first has no rates.
    Result<Sample> sample();

 private:
    void select();
    void log_selection(const Selection& before);
    void restart_peaks();
    Peaks measured_peaks(const Sample& sample) const;
    void read_receive_files(Sample& sample);
    Rates measured_rates() const;
    std::string bandwidth_unknown(const Sample& sample) const;
    std::string peaks_unknown(const Sample& sample) const;

    OpenedProbe probe_;
    LinkMonitor links_;
    std::vector<std::string> globs_;
    Selection selection_;
    bool has_selected_ = false;
    CapacityFollower capacity_{link_speed};
    Limits limits_;      // the node's
    Limits all_limits_;  // with those of profiles
    std::uint64_t revision_ = 0;
    DeviceWitness witness_;
    RateWindow window_;
    CpuWindow cpu_window_;
    PeakMeter peak_meter_;
    bool peaks_ = false;
    HottestCpu hottest_cpu_;
    ReceiveFiles receive_files_;
    UdpLoss udp_loss_;
    UsageReader usage_reader_;
};

}  // namespace wcs_node_agent
