// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/node.hpp"
#include "load/cpu_window.hpp"
#include "load/policy.hpp"
#include "load/rate_window.hpp"

#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <chrono>
#include <cstdint>

namespace wcs_node_agent::balance {

/// What the agent's own code sees of a node: counters of one interface and one CPU, which go
/// through its window, and the page of WCS.
class NodeMeter {
 public:
    /// window: of the rates, greater than 0.
    explicit NodeMeter(std::chrono::nanoseconds window);

    void sample(const Node& node, double now);

    /// There are two samples, so that rates are known.
    bool is_ready() const { return samples_ >= 2; }

    Clock::time_point at() const { return counters_.at; }
    const Measured& measured() const { return measured_; }
    const WcsState& wcs() const { return wcs_; }

 private:
    void count(const Node& node, double elapsed);
    void ask_wcs(const Node& node);

    RawCounters counters_;
    RateWindow window_;
    CpuWindow cpu_window_;
    Measured measured_;
    WcsState wcs_;
    PerResource before_{};  // the load's integral
    double last_ = 0;
    int samples_ = 0;
};

}  // namespace wcs_node_agent::balance
