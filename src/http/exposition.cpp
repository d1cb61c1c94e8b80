// SPDX-License-Identifier: Apache-2.0
#include "http/exposition.hpp"

#include <wcs_node_agent/utf8.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace wcs_node_agent {

namespace {

// Both formats escape the quotation mark in label values; in HELP texts OpenMetrics alone does.
constexpr std::string_view escaped_in_quotes = "\\\n\"";
constexpr std::string_view escaped_outside = "\\\n";

void append_escaped(std::string& page, std::string_view raw, std::string_view special) {
    for (auto at = raw.find_first_of(special); at != raw.npos; at = raw.find_first_of(special)) {
        page.append(raw.substr(0, at)).append(1, '\\').append(1, raw[at] == '\n' ? 'n' : raw[at]);
        raw.remove_prefix(at + 1);
    }
    page += raw;
}

template <class Number>
void append_number(std::string& page, Number value) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
    page.append(digits.begin(), end);
}

/// Whole numbers in full, as far as a double holds each of them; of the others the shortest decimal
/// that reads back as the same.
void append_value(std::string& page, double value) {
    constexpr double every_integer_up_to = 1ULL << std::numeric_limits<double>::digits;
    if (std::abs(value) < every_integer_up_to && value == std::trunc(value))
        append_number(page, static_cast<std::int64_t>(value));
    else if (std::isfinite(value))
        append_number(page, value);
    else
        page += std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

// OpenMetrics leaves it out of the family's name.
std::string_view suffix_of(MetricType type) {
    switch (type) {
        case MetricType::counter:
            return "_total";
        case MetricType::info:
            return "_info";
        case MetricType::gauge:
            return "";
    }
    return "";
}

}  // namespace

void ExpositionWriter::begin(const MetricFamily& family, std::string_view note) {
    family_ = &family;
    note_ = note;
    header_is_due_ = true;
}

void ExpositionWriter::write_header() {
    const bool is_open = format_ == TextFormat::open_metrics;
    std::string_view name = family_->name;
    auto type = family_->type;
    if (is_open)
        name.remove_suffix(suffix_of(type).size());
    else if (type == MetricType::info)
        type = MetricType::gauge;

    page_.append("# HELP ").append(name).append(1, ' ');
    const auto special = is_open ? escaped_in_quotes : escaped_outside;
    append_escaped(page_, family_->help, special);
    if (!note_.empty()) append_escaped(page_.append(1, ' '), note_, special);
    page_.append("\n# TYPE ").append(name).append(1, ' ').append(to_string(type)).append(1, '\n');
}

void ExpositionWriter::write_series(LabelValues label_values) {
    if (header_is_due_) write_header();
    header_is_due_ = false;
    page_ += family_->name;
    char separator = '{';
    const auto write_label = [&](std::string_view name, std::string_view value) {
        page_.append(1, separator).append(name).append("=\"");
        append_escaped(page_, valid_utf8(value), escaped_in_quotes);
        page_ += '"';
        separator = ',';
    };
    if (!common_name_.empty()) write_label(common_name_, common_value_);
    auto label = family_->labels.begin();
    for (const std::string_view value : label_values) write_label(*label++, value);
    page_ += separator == '{' ? " " : "} ";
}

void ExpositionWriter::add(double value, LabelValues label_values) {
    write_series(label_values);
    append_value(page_, value);
    page_ += '\n';
}

void ExpositionWriter::add(std::uint64_t value, LabelValues label_values) {
    write_series(label_values);
    append_number(page_, value);
    page_ += '\n';
}

void ExpositionWriter::end() {
    if (format_ == TextFormat::open_metrics) page_ += "# EOF\n";
}

}  // namespace wcs_node_agent
