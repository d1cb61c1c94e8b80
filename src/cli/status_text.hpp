// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"

#include <string>
#include <string_view>

namespace wcs_node_agent::status_text {

/// What is at the pointer, or null.
const Json& at(const Json& json, const char* pointer);

/// A string as it is; `-` for anything else.
std::string text(const Json& json);

/// Times the factor, with at most one decimal; `-` for what is not a number.
std::string number(const Json& json, double factor = 1);

/// `%`, `Mbit/s`, or nothing for counts.
std::string_view unit_symbol(const Json& unit);

/// What may go to a terminal: control characters other than line ends are `?`, since names of
/// interfaces and texts of WCS are others' bytes.
std::string for_terminal(std::string text);

}  // namespace wcs_node_agent::status_text
