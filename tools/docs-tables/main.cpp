// SPDX-License-Identifier: Apache-2.0
// Prints a table of the documentation as Markdown: `metrics GROUP` or `settings GROUP`, made from
// the rows that the program itself is made from. tools/docs writes them into docs/.
#include "config/settings.hpp"
#include "http/metrics.hpp"

#include <array>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wcs_node_agent {

namespace {

using Row = std::vector<std::string>;

std::string code(std::string_view text) {
    return text.empty() ? std::string() : fmt::format("`{}`", text);
}

/// A bar ends a cell, also within code.
std::string escaped(std::string_view text) {
    std::string cell;
    for (const char c : text) cell += c == '|' ? "\\|" : std::string(1, c);
    return cell;
}

std::string line(const Row& row) {
    std::string text = "|";
    for (const std::string& cell : row)
        text += cell.empty() ? " |" : fmt::format(" {} |", escaped(cell));
    return text + "\n";
}

Row metric_row(const MetricFamily& family) {
    Row labels;
    for (const auto label : family.labels) labels.push_back(code(label));
    return {code(family.name), std::string(to_string(family.type)), std::string(family.unit),
            fmt::format("{}", fmt::join(labels, ", ")), family.help};
}

/// The metrics of a group, in the order of the page.
std::vector<Row> metric_rows(std::string_view group) {
    std::vector<Row> rows;
    for (const Metric& metric : metrics())
        if (metric.group == group) rows.push_back(metric_row(metric.family));
    return rows;
}

Row setting_row(const Setting& setting) {
    const auto option = fmt::format("{} {}", option_name(setting.name), setting.value);
    const auto value = default_text(setting);
    return {code(setting.name), setting.value.empty() ? "none" : code(option), description(setting),
            value == setting.no_value ? value : code(value), setting.needs_restart ? "yes" : ""};
}

/// The settings under one heading of --help, in its order.
std::vector<Row> setting_rows(std::string_view group) {
    std::vector<Row> rows;
    for (const Setting& setting : settings())
        if (setting.group == group) rows.push_back(setting_row(setting));
    return rows;
}

/// One kind of table: the first word of its name.
struct Kind {
    std::string_view name;
    Row heading;
    std::vector<Row> (*rows)(std::string_view group);
};

const std::array kinds{
    Kind{"metrics", {"metric", "type", "unit", "labels", "meaning"}, metric_rows},
    Kind{"settings", {"key", "option", "meaning", "default", "needs a restart"}, setting_rows},
};

/// No text: there is no such table.
std::string table(std::string_view kind, std::string_view group) {
    for (const Kind& one : kinds) {
        if (one.name != kind) continue;
        const auto rows = one.rows(group);
        if (rows.empty()) return {};
        std::string text = line(one.heading) + line(Row(one.heading.size(), "---"));
        for (const Row& row : rows) text += line(row);
        return text;
    }
    return {};
}

}  // namespace

}  // namespace wcs_node_agent

int main(int argc, char** argv) {
    const std::vector<std::string_view> words(argv + 1, argv + argc);
    const auto text = words.size() == 2 ? wcs_node_agent::table(words[0], words[1]) : std::string();
    if (text.empty()) {
        std::cerr << "usage: docs-tables metrics|settings GROUP\n";
        return 2;
    }
    std::cout << text;
    return 0;
}
