// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace wcs_node_agent {

/// The text with each byte that is not part of valid UTF-8 replaced by `?`. Interface names and
/// what WCS sends may hold any bytes, but a single wrong one makes Prometheus refuse a whole page.
std::string valid_utf8(std::string_view bytes);

}  // namespace wcs_node_agent
