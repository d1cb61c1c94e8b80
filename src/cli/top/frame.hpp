// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace wcs_node_agent {

/// What a piece of text means; a screen without colours shows it by bold and dim alone.
enum class Style { plain, strong, heading, dim, good, warning, bad };

struct Span {
    std::string text;  // UTF-8 without control characters
    Style style = Style::plain;
};

/// One line of a screen: pieces side by side.
using Line = std::vector<Span>;

/// A screen's worth of lines; the last one is its foot, whatever stands above.
using Frame = std::vector<Line>;

/// As text, without trailing blanks, a newline after each line.
std::string plain_text(const Frame& frame);

}  // namespace wcs_node_agent
