// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// Of a terminal: one a character of the UTF-8 text.
std::size_t columns_of(std::string_view utf8);

/// The text in lines of at most `width` columns (1 or more), broken where a separator stands, which
/// is left out there. A piece longer than a line is broken anywhere.
std::vector<std::string> in_lines(std::string_view utf8, std::size_t width,
                                  std::string_view separator = " ");

/// The first of several wordings, the longest first, that fits into `width` columns; else the last.
std::string first_fitting(std::initializer_list<std::string> wordings, std::size_t width);

}  // namespace wcs_node_agent
