// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace wcs_node_agent {

/// `width` columns, of which a share of 0 to 1 is full; more than 1 is full too. In UTF-8 to an
/// eighth of a column.
std::string bar(double share, std::size_t width, bool utf8);

/// A column each, 0 to 1 as eight heights of block characters, or as characters that get denser. A
/// gap where nothing is known.
std::string sparkline(const std::vector<std::optional<double>>& shares, bool utf8);

}  // namespace wcs_node_agent
