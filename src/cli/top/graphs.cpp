// SPDX-License-Identifier: Apache-2.0
#include "cli/top/graphs.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace wcs_node_agent {
namespace {

// Eighths of a block: from the left, and from below.
constexpr std::array<std::string_view, 9> left_blocks{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
constexpr std::array<std::string_view, 8> lower_blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 8> denser{"_", ".", "-", "=", "+", "*", "%", "#"};

std::size_t whole(double value) { return static_cast<std::size_t>(std::lround(value)); }

}  // namespace

std::string bar(double share, std::size_t width, bool utf8) {
    share = std::clamp(share, 0.0, 1.0);
    std::string text;
    if (!utf8) {
        text.assign(whole(share * static_cast<double>(width)), '#');
        text.resize(width, '.');
        return text;
    }
    const std::size_t eighths = whole(share * static_cast<double>(width) * 8);
    for (std::size_t i = 0; i < eighths / 8; ++i) text += left_blocks.back();
    text += left_blocks[eighths % 8];
    text.append(width - (eighths + 7) / 8, ' ');
    return text;
}

std::string sparkline(const std::vector<std::optional<double>>& shares, bool utf8) {
    const auto& heights = utf8 ? lower_blocks : denser;
    std::string text;
    for (const auto& share : shares) {
        // The highest one is for what has no room left.
        text += share ? heights[static_cast<std::size_t>(std::clamp(*share, 0.0, 1.0) * 7)]
                      : std::string_view(" ");
    }
    return text;
}

}  // namespace wcs_node_agent
