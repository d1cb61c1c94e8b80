// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace wcs_node_agent {

/// The text as one line that a terminal or the journal can show: control characters, line ends
/// among them, and bytes that are not UTF-8 as \xHH. Names of interfaces, paths and texts of WCS
/// are chosen by others.
std::string printable_line(std::string_view text);

}  // namespace wcs_node_agent
