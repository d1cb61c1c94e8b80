// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/slow_mean.hpp"

#include <chrono>

namespace wcs_node_agent {

/// The ratio of two slow means: what a session costs, what it has in connections. A ratio of means
/// does not jump where few are counted, and has no fast loop that could oscillate.
class SlowRatio {
 public:
    struct Observation {
        double amount = 0;
        double sessions = 0;  // that have it
    };

    /// One that counts for as long as `passed` since the last, with `window` as the time constant.
    /// What is not finite is left out.
    void observe(const Observation& now, std::chrono::nanoseconds passed,
                 std::chrono::nanoseconds window);

    /// The amount of a session, 1e-6 to 1e6: while sessions are few it is drawn to `expected`, as
    /// if `prior_sessions` of that amount had been seen besides.
    double value(double expected) const;

 private:
    SlowMean amount_, sessions_;
};

}  // namespace wcs_node_agent
