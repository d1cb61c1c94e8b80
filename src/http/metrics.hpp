// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/exposition.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

// The one table of metrics: the page and the tables of docs/metrics.md are made from it.

namespace wcs_node_agent {

struct Metric {
    MetricFamily family;
    /// Its samples in a snapshot; what is unknown has none. Empty for the sample's age alone.
    std::function<void(const Snapshot&, ExpositionWriter&)> samples;
    /// What the HELP text says of this node's counting beyond its own sentences; null: nothing.
    std::string (*note)(const Snapshot&) = nullptr;
    /// The same of a profile, whose series have the label `profile`; empty: the node alone has any.
    std::function<void(const ProfileAnswer&, ExpositionWriter&)> of_profile = {};
    std::string_view group = {};  // its table in docs/metrics.md: node, wcs, limits or agent
};

/// In the order of the page. The last is the sample's age: it depends on when it is asked for.
const std::vector<Metric>& metrics();

/// All of a page but its last family.
std::string metrics_text(const Snapshot& snapshot, TextFormat format);

/// The last family, the sample's age, and what ends the page.
std::string sample_age_text(Clock::duration age, TextFormat format);

}  // namespace wcs_node_agent
