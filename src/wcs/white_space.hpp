// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace wcs_node_agent {

constexpr bool is_white_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Without white space at either end.
constexpr std::string_view trimmed(std::string_view text) {
    const auto* const first = std::ranges::find_if_not(text, is_white_space);
    text.remove_prefix(static_cast<std::size_t>(first - text.begin()));
    while (!text.empty() && is_white_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

}  // namespace wcs_node_agent
