// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/weight.hpp>

#include <string>

namespace wcs_node_agent {

/// How a weight came about, for people: "headroom: 60 % free, 10 new sessions take 5 %, ...".
std::string weight_text(const Weight& weight);

}  // namespace wcs_node_agent
