// SPDX-License-Identifier: Apache-2.0
#include "cli/limit_words.hpp"

#include <wcs_node_agent/limits.hpp>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wcs_node_agent {

std::vector<std::string> limit_words() {
    std::vector<std::string> words;
    for (const auto& limit : built_in_limits) {
        std::ranges::replace(words.emplace_back(limit.name), '_', '-');
    }
    return words;
}

void add_limit_words(const std::vector<std::string>& words, Json& values, ConfigErrors& errors) {
    for (std::size_t i = 0; i < words.size(); i += 2) {
        std::string name = words[i];
        std::ranges::replace(name, '-', '_');
        if (std::ranges::find(built_in_limits, name, &BuiltInLimit::name) ==
            built_in_limits.end()) {
            errors.push_back(
                {.where = words[i],
                 .what = fmt::format("is not one of {}", fmt::join(limit_words(), ", "))});
        } else if (i + 1 == words.size()) {
            errors.push_back({.where = words[i], .what = "has no value"});
        } else if (values.contains(name)) {
            errors.push_back({.where = words[i], .what = "given twice"});
        } else {
            values[name] = words[i + 1];
        }
    }
}

}  // namespace wcs_node_agent
