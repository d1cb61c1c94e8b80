// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "config/json.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/limits.hpp>
#include <wcs_node_agent/result.hpp>

#include <optional>

// Limits, from and to JSON.

namespace wcs_node_agent {

/// Of a built-in limit. None for "off" and 0; a share of the link's speed, such as "80%", for
/// bandwidth alone.
Result<std::optional<LimitMaximum>> read_maximum(const Json& value, LimitUnit unit);

Json show_maximum(const std::optional<LimitMaximum>& maximum);

/// The configuration's own limits, an array of objects, in place of those that were there. Changes
/// nothing where there is an error.
ConfigErrors set_own_limits(Config& config, const Json& value);

Json show_own_limits(const Config& config);

}  // namespace wcs_node_agent
