// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/json.hpp"

#include <wcs_node_agent/result.hpp>

#include <cstddef>
#include <optional>

// What makes the weight, from and to JSON. "auto" and its absence mean that the agent finds it out.

namespace wcs_node_agent {

/// A number of sessions, greater than 0 and up to 10^6, or "auto".
Result<std::optional<double>> read_sessions(const Json& value);

Json show_sessions(const std::optional<double>& sessions);

/// A whole number from 1 to 1000, or "auto", which is 0.
Result<std::size_t> read_balancers(const Json& value);

Json show_balancers(std::size_t balancers);

}  // namespace wcs_node_agent
