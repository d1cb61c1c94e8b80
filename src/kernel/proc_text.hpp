// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wcs_node_agent {

// Files of /proc are lines of numbers between blanks.

/// Takes the first line off the text.
inline std::string_view next_line(std::string_view& text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

/// Takes a number off the line. None: it does not fit, or something else stands there.
inline std::optional<std::uint64_t> next_number(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error != std::errc()) return std::nullopt;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    return number;
}

/// As many numbers as there are, the others 0: kernels have added columns over time.
template <std::size_t N>
std::array<std::uint64_t, N> next_numbers(std::string_view line) {
    std::array<std::uint64_t, N> numbers{};
    for (auto& number : numbers) number = next_number(line).value_or(0);
    return numbers;
}

}  // namespace wcs_node_agent
