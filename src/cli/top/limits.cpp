// SPDX-License-Identifier: Apache-2.0
#include "cli/top/limits.hpp"

#include "cli/status_text.hpp"
#include "cli/top/fitting.hpp"
#include "cli/top/graphs.hpp"
#include "cli/top/parts.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

using status_text::at;
using status_text::number;
using status_text::unit_symbol;

constexpr std::size_t bar_width = 8;
constexpr std::size_t right_of_of = 10 + bar_width + 2;  // the share, the bar, a gap
constexpr std::size_t right_of_plot = 5;                 // " soft"
constexpr std::size_t narrowest_plot = 10;               // its heading
constexpr double plot_seconds = 6;                       // a column of a plot
constexpr auto widest_plot = static_cast<std::size_t>(StatusHistory::longest_plot / plot_seconds);

struct Row {
    std::string key, name, value, of, unknown;
    const Json* limit;
};

/// Columns that each part of a row takes.
struct Widths {
    std::size_t name = 13, value = 8, of = 11, plot = 0;

    std::size_t left_of_used() const { return name + 1 + value + 4 + of; }
};

std::vector<Row> rows_of(const Json& answer, const View& view) {
    std::vector<Row> rows;
    for (const auto& [name, limit] : at(answer, "/limits").items()) {
        const Json& maximum = at(limit, "/maximum");
        const Json& unknown = at(limit, "/unknown");
        const bool off = !maximum.is_number() && !unknown.is_string();
        if (off && !view.all_limits) continue;
        rows.push_back({.key = name,
                        .name = shown(Json(name), view),
                        .value = number(at(limit, "/value")),
                        .of = off                    ? "off"
                              : !maximum.is_number() ? "?"
                                                     : fmt::format("{} {}", number(maximum),
                                                                   unit_symbol(at(limit, "/unit"))),
                        .unknown = unknown.is_string() ? shown(unknown, view) : "",
                        .limit = &limit});
    }
    return rows;
}

Widths widths_of(const std::vector<Row>& rows, const View& view) {
    Widths widths;
    for (const Row& row : rows) {
        widths.value = std::max(widths.value, row.value.size());
        widths.of = std::max(widths.of, row.of.size());
    }
    const auto others = widths.left_of_used() - widths.name + right_of_of + right_of_plot;
    const auto room = view.columns - std::min(view.columns, others);
    // A name that leaves no room for the plot has a line of its own.
    const auto longest_name = room - std::min(room, narrowest_plot);
    for (const Row& row : rows)
        if (const auto name = columns_of(row.name); name <= longest_name)
            widths.name = std::max(widths.name, name);
    widths.plot = std::min(room - std::min(room, widths.name), widest_plot);
    if (widths.plot < narrowest_plot) widths.plot = 0;
    return widths;
}

std::string limits_heading(const Widths& widths) {
    auto text = fmt::format("{:<{}} {:>{}}    {:<{}}{:>9}", "LIMIT", widths.name, "VALUE",
                            widths.value, "MAXIMUM", widths.of, "USED");
    if (widths.plot == 0) return text;
    const Json seconds(static_cast<double>(widths.plot) * plot_seconds);
    text.resize(widths.left_of_used() + right_of_of, ' ');
    return text + fmt::format("{:>{}}", "last " + span_of_time(seconds), widths.plot);
}

/// What is known of the limit besides its value, or why nothing is.
Line use_of(const Row& row, const Widths& widths, const StatusHistory& history, const View& view) {
    if (!row.unknown.empty()) {
        const auto left = std::min(view.columns, widths.left_of_used());
        return {{first_fitting({"  unknown: " + row.unknown, "  unknown"}, view.columns - left),
                 Style::warning}};
    }
    const Json& used = at(*row.limit, "/utilisation");
    if (!used.is_number()) return {};
    const Style style = style_of(used.get<double>());
    const auto plot = sparkline(history.plot(row.key, widths.plot, plot_seconds), view.utf8);
    const bool soft = at(*row.limit, "/soft") == true;
    return {{fmt::format("{:>7} % ", number(used, 100)), style},
            {bar(used.get<double>(), bar_width, view.utf8), style},
            {"  " + plot, Style::plain},
            {soft ? " soft" : "", Style::dim}};
}

void add_limit(Frame& frame, const Row& row, const Widths& widths, Style style, Line use) {
    const bool is_long = columns_of(row.name) > widths.name;
    if (is_long) frame.push_back({{row.name, style}});
    Line& line = frame.emplace_back();
    line.push_back({fmt::format("{:<{}} {:>{}} of {:<{}}", is_long ? "" : row.name, widths.name,
                                row.value, widths.value, row.of, widths.of),
                    style});
    std::ranges::move(use, std::back_inserter(line));
}

/// The reasons that no row had room for, once each, but for those which the line of WCS has.
void add_reasons(Frame& frame, const Json& status, const std::vector<Row>& rows,
                 const Widths& widths, const View& view) {
    std::vector<std::pair<std::string, std::string>> names_of;  // by reason, in order
    for (const Row& row : rows) {
        const auto in_row = widths.left_of_used() + columns_of("  unknown: " + row.unknown);
        const auto fault = "wcs: " + shown(at(status, "/wcs/fault_text"), view);
        if (row.unknown.empty() || in_row <= view.columns || row.unknown == fault) continue;
        const auto same =
            std::ranges::find(names_of, row.unknown, [](const auto& entry) { return entry.first; });
        if (same == names_of.end())
            names_of.emplace_back(row.unknown, row.name);
        else
            same->second += ", " + row.name;
    }
    for (const auto& [why, names] : names_of)
        add_labelled(frame, "unknown", fmt::format("{}: {}", names, why), view, Style::warning);
}

}  // namespace

void add_limits(Frame& frame, const Json& status, const StatusHistory& history, const View& view) {
    const auto rows = rows_of(status, view);
    const auto widths = widths_of(rows, view);
    frame.push_back(heading(limits_heading(widths), view));
    for (const Row& row : rows) {
        const bool is_bottleneck = at(status, "/bottleneck") == row.key;
        add_limit(frame, row, widths, is_bottleneck ? Style::strong : Style::plain,
                  use_of(row, widths, history, view));
    }
    add_reasons(frame, status, rows, widths, view);
}

}  // namespace wcs_node_agent
