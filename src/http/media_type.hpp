// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace wcs_node_agent {

/// Whether an Accept header (RFC 9110, 12.5.1) prefers OpenMetrics to Prometheus' text format
/// 0.0.4, which is the default. Malformed parts are ignored.
bool prefers_open_metrics(std::string_view accept);

/// Whether an Accept-Encoding header (RFC 9110, 12.5.3) names gzip.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace wcs_node_agent
