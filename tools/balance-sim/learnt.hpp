// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/weight.hpp>

#include <optional>

namespace wcs_node_agent::balance {

/// What the agents learn of who uses their weights, means over nodes and time.
class Learnt {
 public:
    /// An agent's weight at one moment. mean_utilisation: of all nodes then.
    void look(const Weight& weight, double mean_utilisation);

    // None: nobody looked, or knew it.
    std::optional<double> effect() const;
    std::optional<double> dispersion() const;
    std::optional<double> level_known() const;  // share of the time
    std::optional<double> level_error() const;  // utilisation, root mean square

 private:
    double looks_ = 0, effect_ = 0, dispersion_ = 0;  // sums
    double levels_ = 0, squares_ = 0;                 // of those that knew it
};

}  // namespace wcs_node_agent::balance
