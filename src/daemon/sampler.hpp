// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/fault.hpp"
#include "daemon/capacity_follower.hpp"
#include "kernel/link_speed.hpp"
#include "kernel/links.hpp"
#include "kernel/open_probe.hpp"
#include "load/peak_meter.hpp"
#include "load/policy.hpp"
#include "load/rate_window.hpp"
#include "load/selection.hpp"

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

    /// Lists the links anew and chooses those that the bandwidth limits see. Those that are new
    /// wait for follow_next(), the chosen ones first.
    Result<void> refresh_links();

    /// What in a configuration does not go with the links as they are: see
    /// CapacityFollower::check().
    Faults check(const Config& config);

    /// Begins to count on one interface that waits. True: more wait.
    bool follow_next() { return probe_.probe->follow_next(); }

    /// Begins to count on all that are chosen and wait.
    void follow_chosen();

    /// See Probe::give_to().
    Result<void> give_to(uid_t user, gid_t group) { return probe_.probe->give_to(user, group); }

    /// Readable when the links should be refreshed.
    int link_descriptor() const { return links_.descriptor(); }

    /// Reads away what has been told of links. True: refresh_links() is due.
    bool links_changed() { return links_.changed(); }

    /// Reads the traffic for the peaks; to be called every PeakMeter::interval. False: the source
    /// cannot be read so often, and there will be none.
    bool measure_peaks();

    /// Reads the counters and judges them together with what is known of WCS. The first has no
    /// rates. The snapshot is complete but for its reply.
    Result<Snapshot> sample(const WcsState& wcs, const AgentCounters& agent);

 private:
    void choose();
    void tell_choice(const Selection& before);
    std::vector<std::string> chosen_names() const;
    std::string_view name_of(std::uint32_t index) const;
    Verdict judge(const Snapshot& snapshot);

    OpenedProbe probe_;
    LinkMonitor links_;
    std::vector<Link> known_links_;
    std::vector<std::string> globs_;
    Selection selection_;
    bool has_chosen_ = false;
    ConfiguredLimits limits_;
    CapacityFollower capacity_{link_speed};
    std::size_t chosen_waiting_ = 0;
    CountNames count_names_;
    PolicySettings policy_settings_;
    RateWindow window_;
    PeakMeter peak_meter_;
    Policy policy_;
    Clock::time_point started_ = Clock::now();
};

}  // namespace wcs_node_agent
