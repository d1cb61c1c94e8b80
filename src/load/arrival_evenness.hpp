// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace wcs_node_agent {

/// How evenly sessions come. HAProxy's roundrobin serves by turns, so they come to a node at nearly
/// even distances. Who looks at what nodes have sends one several at once, or none: leastconn as
/// soon as a weight changes, random by chance. Under roundrobin alone what comes is the weight's
/// doing, and tells of the other nodes.
class ArrivalEvenness {
 public:
    using Time = std::chrono::nanoseconds;  // from any origin; never falls

    /// Sessions that came since the last call. They are counted by periods, of which the last
    /// ninety are remembered; with a period of 0 nothing is seen.
    void observe(double came, Time now, Time period);

    /// The node gets no sessions: what came in this period says nothing.
    void interrupt();

    /// Variance by mean of what comes in a period, above 0. By simulation 0.4 to 1 under
    /// roundrobin, with 20 balancers 0.9 to 1.2, under random(2) 1.2 to 1.9, under leastconn 0.9 to
    /// 3.4. Drawn to 1, which is pure chance, while few have come.
    double dispersion() const;

    /// 1: surely by turns; 0: not surely.
    double value() const;

 private:
    void judge();

    double came_ = 0;  // in this period
    Time since_{};     // when it began
    bool is_counting_ = false;
    double usual_ = 0;                   // of the last periods, in one
    double squares_ = 0, sessions_ = 0;  // of deviations from it, and what came
};

}  // namespace wcs_node_agent
