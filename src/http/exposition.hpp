// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

namespace wcs_node_agent {

/// The last line of every OpenMetrics text.
inline constexpr std::string_view open_metrics_end = "# EOF\n";

/// Prometheus text format 0.0.4.
std::string to_prometheus_text(const std::vector<prometheus::MetricFamily>& families);

/// OpenMetrics 1.0.0. Takes counters whose names end in `_total`, and gauges; a gauge whose name
/// ends in `_info` is written as an info metric.
std::string to_open_metrics(const std::vector<prometheus::MetricFamily>& families);

}  // namespace wcs_node_agent
