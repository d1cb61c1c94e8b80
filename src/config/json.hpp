// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

namespace wcs_node_agent {

/// JSON that keeps its keys in the order written.
using Json = nlohmann::ordered_json;

}  // namespace wcs_node_agent
