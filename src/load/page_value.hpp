// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/limits.hpp>
#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <string>
#include <vector>

namespace wcs_node_agent {

/// The sum of the page's numbers with these names. The error: one that it lacks, or has twice.
Result<double> page_sum(const std::vector<std::string>& names, const WcsPage& page);

/// What the page says of a limit that has keys, in the limit's own unit. The error: a number that
/// the page lacks, or `of` whose sum is not greater than 0, as nothing is a share of that.
Result<double> page_value(const Limit& limit, const WcsPage& page);

}  // namespace wcs_node_agent
