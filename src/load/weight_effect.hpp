// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

namespace wcs_node_agent {

/// How strongly sessions follow the weight. Under HAProxy's roundrobin it is a share of those that
/// come, under leastconn of all that there are: a percent more sends the node hardly one more, or
/// all that come. Which it is nobody tells an agent, but it shows in what comes after the weight
/// rose, and after it fell.
class WeightEffect {
 public:
    using Time = std::chrono::nanoseconds;  // from any origin; never falls

    /// The weight in percent as it is reported, and how many sessions came since the last call. A
    /// change is judged by what comes in the period after the one it happened in; what was seen
    /// is forgotten with the window as the time constant, of the periods that showed something.
    /// With a period of 0 nothing is seen.
    void observe(int percent, double came, Time now, Time period, Time window);

    /// The node gets no sessions: what it reported before has no effect any more.
    void interrupt();

    /// How many times more come after the weight rose than after it fell, above 0: by simulation
    /// 1.0 to 1.4 under roundrobin, 1.3 to 2.5 under random(2), up to 10 under leastconn; with two
    /// nodes less. Drawn to `undecided` while little was seen.
    double ratio() const;

    /// 1: surely by more than its share of those that come; 0: not surely.
    double strength() const;

    static constexpr double undecided = 1.45;

 private:
    struct Seen {
        double came = 0;     // sessions
        double periods = 0;  // in which they came
    };
    double mean() const;
    void judge(double came, double keep);

    Seen after_rise_, after_fall_;
    double came_ = 0;                      // in this period
    Time since_{};                         // when it began
    std::optional<int> percent_, before_;  // at its begin, and at that of the last
};

}  // namespace wcs_node_agent
