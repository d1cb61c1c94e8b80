// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace wcs_node_agent {

/// Whether an Accept header (RFC 9110, 12.5.1) would rather have OpenMetrics than Prometheus'
/// text format 0.0.4, which is what a client gets that does not care. Malformed parts count for
/// nothing.
bool prefers_open_metrics(std::string_view accept);

}  // namespace wcs_node_agent
