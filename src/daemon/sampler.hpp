// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "daemon/capacity_follower.hpp"
#include "daemon/device_witness.hpp"
#include "kernel/link_speed.hpp"
#include "kernel/links.hpp"
#include "kernel/open_probe.hpp"
#include "kernel/receive_files.hpp"
#include "load/hottest_cpu.hpp"
#include "load/peak_meter.hpp"
#include "load/policy.hpp"
#include "load/rate_window.hpp"
#include "load/selection.hpp"
#include "load/udp_loss.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// Brings the probe, the links and WCS together: each sample becomes a snapshot with its verdict.
class Sampler {
 public:
    Sampler(OpenedProbe probe, LinkMonitor links, const Config& config);

    /// Takes effect with the next sample; what has been measured stays.
    void configure(const Config& config);

    /// Lists the links anew and selects those that are included in the bandwidth limits. Those that
    /// are new are queued for attach_next(), the selected ones first.
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

    /// See Probe::give_to().
    Result<void> give_to(uid_t user, gid_t group) { return probe_.probe->give_to(user, group); }

    /// Readable when the links should be refreshed.
    int link_descriptor() const { return links_.descriptor(); }

    /// Drains what netlink reported. True: refresh_links() is due.
    bool links_changed() { return links_.changed(); }

    /// Reads the counters and judges them together with what is known of WCS. The first has no
    /// rates.
    Result<Snapshot> sample(const WcsState& wcs, const AgentCounters& agent);

 private:
    void select();
    void log_selection(const Selection& before);
    void restart_peaks();
    Peaks measured_peaks(const RawCounters& counters) const;
    void add_shares_over_limits(Snapshot& snapshot) const;
    void read_receive_files(Snapshot& snapshot);
    Rates measured_rates() const;
    std::string bandwidth_unknown(const Snapshot& snapshot) const;
    std::string peaks_unknown(const Snapshot& snapshot) const;

    OpenedProbe probe_;
    LinkMonitor links_;
    std::vector<Link> known_links_;
    std::vector<std::string> globs_;
    Selection selection_;
    bool has_selected_ = false;
    CapacityFollower capacity_{link_speed};
    CountNames count_names_;
    PolicySettings policy_settings_;
    DeviceWitness witness_;
    RateWindow window_;
    PeakMeter peak_meter_;
    bool peaks_ = false;
    HottestCpu hottest_cpu_;
    ReceiveFiles receive_files_;
    UdpLoss udp_loss_;
    Policy policy_;
    Clock::time_point started_ = Clock::now();
};

}  // namespace wcs_node_agent
