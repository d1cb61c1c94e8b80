// SPDX-License-Identifier: Apache-2.0
#include "config/config_error.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace wcs_node_agent {
namespace {

/// How many slips of the keyboard lie between two words: a character too many, one too few, one
/// wrong, two neighbours swapped (the optimal string alignment distance).
std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::vector<std::size_t>> distance(from.size() + 1,
                                                   std::vector<std::size_t>(to.size() + 1));
    for (std::size_t i = 0; i <= from.size(); ++i) {
        for (std::size_t j = 0; j <= to.size(); ++j) {
            if (i == 0 || j == 0) {
                distance[i][j] = i + j;
                continue;
            }
            const std::size_t wrong = from[i - 1] == to[j - 1] ? 0 : 1;
            distance[i][j] = std::min(
                {distance[i - 1][j] + 1, distance[i][j - 1] + 1, distance[i - 1][j - 1] + wrong});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
                distance[i][j] = std::min(distance[i][j], distance[i - 2][j - 2] + 1);
            }
        }
    }
    return distance.back().back();
}

}  // namespace

std::string to_string(const ConfigErrors& errors) {
    std::string lines;
    for (const ConfigError& error : errors) {
        lines += fmt::format("{}: {}\n", error.where, error.what);
    }
    return lines;
}

std::string pointer_step(std::string_view key) {
    using nlohmann::json;
    const json pointer = (json::json_pointer() / std::string(key)).to_string();
    const std::string quoted = pointer.dump(-1, ' ', false, json::error_handler_t::replace);
    return quoted.substr(1, quoted.size() - 2);
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> known) {
    constexpr std::size_t longest_name = 64;  // nothing longer is a misspelling of ours
    if (known.empty() || name.size() > longest_name) {
        return {};
    }
    const auto distance = [name](std::string_view other) { return edit_distance(name, other); };
    const std::string_view nearest = *std::ranges::min_element(known, {}, distance);
    const std::size_t tolerated = std::max<std::size_t>(1, nearest.size() / 3);
    return distance(nearest) <= tolerated ? fmt::format("; did you mean {}?", nearest)
                                          : std::string();
}

}  // namespace wcs_node_agent
