// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <vector>

#include <prometheus/metric_family.h>

namespace wcs_node_agent {

/// Every metric of a snapshot, but the sample's age; docs/metrics.md says what each means. What is
/// unknown has no series.
std::vector<prometheus::MetricFamily> metric_families(const Snapshot& snapshot);

/// The one metric that depends on when it is asked for.
prometheus::MetricFamily sample_age_family(Seconds age);

}  // namespace wcs_node_agent
