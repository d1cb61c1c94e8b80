// SPDX-License-Identifier: Apache-2.0
#include "cli/top/fitting.hpp"

#include <algorithm>

namespace wcs_node_agent {
namespace {

bool begins_character(char c) { return (c & 0xC0) != 0x80; }

/// The first `columns` characters, taken off the text.
std::string_view take_columns(std::string_view& utf8, std::size_t columns) {
    std::size_t end = 0;
    while (end < utf8.size() && (columns > 0 || !begins_character(utf8[end])))
        if (begins_character(utf8[end++])) --columns;
    const auto taken = utf8.substr(0, end);
    utf8.remove_prefix(end);
    return taken;
}

/// What stands before the next separator, taken off the text with it.
std::string_view take_piece(std::string_view& text, std::string_view separator) {
    const auto end = std::min(text.find(separator), text.size());
    const auto piece = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + separator.size()));
    return piece;
}

}  // namespace

std::size_t columns_of(std::string_view utf8) {
    return static_cast<std::size_t>(std::ranges::count_if(utf8, begins_character));
}

std::vector<std::string> in_lines(std::string_view utf8, std::size_t width,
                                  std::string_view separator) {
    std::vector<std::string> lines(1);
    const auto room = [&] { return width - std::min(width, columns_of(lines.back())); };
    while (!utf8.empty()) {
        auto piece = take_piece(utf8, separator);
        if (!lines.back().empty()) {
            if (columns_of(separator) + columns_of(piece) <= room())
                lines.back() += separator;
            else
                lines.emplace_back();
        }
        lines.back() += take_columns(piece, room());
        while (!piece.empty()) lines.emplace_back(take_columns(piece, width));
    }
    return lines;
}

std::string first_fitting(std::initializer_list<std::string> wordings, std::size_t width) {
    const auto* const found = std::ranges::find_if(
        wordings, [width](const auto& wording) { return columns_of(wording) <= width; });
    return found == wordings.end() ? *(found - 1) : *found;
}

}  // namespace wcs_node_agent
