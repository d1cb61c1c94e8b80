// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/freshness.hpp"
#include "net/current_snapshot.hpp"
#include "process/notify.hpp"

#include <wcs_node_agent/agent_counters.hpp>
#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/snapshot.hpp>

namespace wcs_node_agent {

/// Hands snapshots to the servers, one with each turn of the sampler, and reports what changes with
/// them to the log and to systemd.
class Publisher {
 public:
    Publisher(CurrentSnapshot& snapshots, SystemdNotifier& notifier)
        : snapshots_(snapshots), notifier_(notifier) {}

    /// From the next snapshot on. Servers take one for current for `fresh_for` after it was
    /// published.
    void configure(const Freshness& freshness);

    /// A new sample. Checks are answered once the first reply is due; pages are served at once.
    void publish(Snapshot sampled);

    /// No sample could be taken: the last one's figures stay, with their age, and its verdict is
    /// worth what Freshness says. Nothing before the first sample.
    void publish_aged(const AgentCounters& agent, Clock::time_point now);

 private:
    bool is_first_reply_due(const Snapshot& sampled) const;
    void replace(Snapshot next);
    static void report_unknown(const Verdict& before, const Verdict& now);
    void report_transition(const Verdict& verdict);

    CurrentSnapshot& snapshots_;
    SystemdNotifier& notifier_;
    Freshness freshness_;
    bool replying_ = false;  // the first reply was due
    Verdict last_verdict_;   // of the last sample that succeeded
};

}  // namespace wcs_node_agent
