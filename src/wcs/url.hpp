// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/wcs_url.hpp>

#include <string_view>

namespace wcs_node_agent {

/// Reads `http[s]://HOST[:PORT][/PATH][?QUERY]`. The error says what is wrong, with an example of
/// what would be right.
Result<WcsUrl> parse_http_url(std::string_view text, std::string_view example);

/// The same, of a statistics page.
Result<WcsUrl> parse_wcs_url(std::string_view text);

}  // namespace wcs_node_agent
