// SPDX-License-Identifier: Apache-2.0
#include "cli/status_text.hpp"

#include <wcs_node_agent/ascii.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent::status_text {

const Json& at(const Json& json, const char* pointer) {
    static const Json null;
    const Json::json_pointer place(pointer);
    return json.contains(place) ? json.at(place) : null;
}

std::string text(const Json& json) { return json.is_string() ? json.get<std::string>() : "-"; }

std::string number(const Json& json, double factor) {
    if (!json.is_number()) {
        return "-";
    }
    return fmt::format("{:.15g}", std::round(json.get<double>() * factor * 10) / 10);
}

std::string_view unit_symbol(const Json& unit) {
    if (unit == "percent") {
        return "%";
    }
    return unit == "megabits_per_second" ? "Mbit/s" : "";
}

std::string for_terminal(std::string text) {
    std::ranges::replace_if(
        text, [](char c) { return is_ascii_control(c) && c != '\n'; }, '?');
    return text;
}

}  // namespace wcs_node_agent::status_text
