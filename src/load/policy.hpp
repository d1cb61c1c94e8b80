// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/limits.hpp>
#include <wcs_node_agent/snapshot.hpp>
#include <wcs_node_agent/verdict.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace wcs_node_agent {

struct PolicySettings {
    Limits limits;
    double recover = 0.95;                   // 0..1: below it a node that was over comes back
    std::chrono::nanoseconds stale_after{};  // how long the last value of a limit holds
    WhenStale when_stale = WhenStale::down;
    WhenStale when_unreadable = WhenStale::ignore;
};

/// What the agent measured itself.
struct Measured {
    Rates rates;
    std::string cpu_unknown = {};        // why the CPU load is unknown, where it is
    std::string bandwidth_unknown = {};  // the same of the bandwidth
    std::string udp_unknown = {};        // of what UDP loses
    std::string peaks_unknown = {};      // of the peaks
    Peaks peaks = {};
    std::optional<double> link_capacity = {};  // Mbit/s of the selected interfaces, for shares
};

/// Decides a node's state: holds what is known of it against its limits. It has a memory of two
/// kinds. A limit takes the node down at its maximum, and the node comes back below `recover` of
/// it; a soft one only lowers the weight, known or not. And a value that becomes unknown holds for
/// stale_after.
class Policy {
 public:
    /// State, reason and bottleneck at this moment; the weight is a Weigher's.
    Verdict decide(const PolicySettings& settings, const Measured& measured, const WcsState& wcs,
                   Clock::time_point now);

    /// Other limits are of the page's numbers from now on: their last values hold no longer.
    void forget_page() { last_of_page_.clear(); }

 private:
    struct Judged {
        LimitReading reading;
        WhenStale otherwise = WhenStale::ignore;  // what decides if the value is unknown
        bool is_silent = false;                   // it is, because WCS does not answer
        bool is_provisional = false;              // a mean over less than the window
        bool is_checked = true;                   // false: there is nothing here to be limited
    };
    Judged judge(const Limit& limit, const PolicySettings& settings, const Measured& measured,
                 const WcsState& wcs, Clock::time_point now);

    bool tripped_ = false;
    std::map<LimitValue, std::optional<HeldCount>> last_;           // of what the agent measures
    std::map<std::string, std::optional<HeldCount>> last_of_page_;  // of LimitValue::page, by name
};

}  // namespace wcs_node_agent
