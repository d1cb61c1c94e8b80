// SPDX-License-Identifier: Apache-2.0
#include "cli/top/parts.hpp"

#include "cli/status_text.hpp"
#include "cli/top/fitting.hpp"

#include <wcs_node_agent/utf8.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {

std::string shown(const Json& json, const View& view) {
    std::string text = status_text::for_terminal(valid_utf8(status_text::text(json)));
    std::ranges::replace(text, '\n', ' ');
    if (view.utf8) return text;
    std::string ascii;
    for (const char c : text)
        if ((c & 0xC0) != 0x80) ascii += (c & 0x80) != 0 ? '?' : c;  // one for each character
    return ascii;
}

std::string span_of_time(const Json& seconds) {
    if (!seconds.is_number()) return "-";
    const auto whole = static_cast<long long>(std::clamp(seconds.get<double>(), 0.0, 1e12));
    if (whole < 120) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{} min", whole / 60);
    if (whole < 86400) return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
    return fmt::format("{} d {} h", whole / 86400, whole / 3600 % 24);
}

std::string cell(const std::optional<double>& value, double factor, std::size_t width) {
    return value ? fmt::format("{:>{}.1f}", *value * factor, width)
                 : fmt::format("{:>{}}", "-", width);
}

Style style_of(const Json& state) {
    if (state == "up") return Style::good;
    return state == "down" ? Style::bad : Style::warning;
}

Style style_of(double utilisation) {
    if (utilisation >= 1) return Style::bad;
    return utilisation >= 0.8 ? Style::warning : Style::good;
}

Line heading(std::string text, const View& view) {
    text.append(view.columns - std::min(view.columns, columns_of(text)), ' ');
    return {{std::move(text), Style::heading}};
}

std::size_t beside_label(const View& view) {
    return std::max(view.columns, View::fewest_columns) - label_width;
}

void add_labelled(Frame& frame, std::string_view label, const std::string& text, const View& view,
                  Style style) {
    for (auto& line : in_lines(text, beside_label(view))) {
        frame.push_back(
            {{fmt::format("{:<{}}", label, label_width), Style::dim}, {std::move(line), style}});
        label = "";
    }
}

}  // namespace wcs_node_agent
