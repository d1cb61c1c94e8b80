// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/snapshot.hpp>

#include <string>

namespace wcs_node_agent {

/// Every figure behind the verdict, as one JSON object. What is unknown is null.
std::string status_json(const Snapshot& snapshot);

}  // namespace wcs_node_agent
