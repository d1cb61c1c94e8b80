// SPDX-License-Identifier: Apache-2.0
#include "http/exposition.hpp"

#include <array>
#include <charconv>

#include <prometheus/text_serializer.h>

namespace wcs_node_agent {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct Kind {
    std::string_view type;
    std::string_view suffix;  // of the sample names; the family's own name lacks it
};

constexpr Kind counter{"counter", "_total"};
constexpr Kind info{"info", "_info"};
constexpr Kind gauge{"gauge", ""};

const Kind& kind_of(const MetricFamily& family) {
    if (family.type == MetricType::Counter) return counter;
    return family.name.ends_with(info.suffix) ? info : gauge;
}

// OpenMetrics escapes the same three characters in label values and in help texts.
void append_escaped(std::string& text, std::string_view raw) {
    for (const char c : raw) {
        switch (c) {
            case '\\':
                text += "\\\\";
                break;
            case '"':
                text += "\\\"";
                break;
            case '\n':
                text += "\\n";
                break;
            default:
                text += c;
        }
    }
}

void append_metadata(std::string& text, std::string_view keyword, std::string_view name) {
    text.append("# ").append(keyword).append(" ").append(name).append(" ");
}

void append_labels(std::string& text, const std::vector<ClientMetric::Label>& labels) {
    if (labels.empty()) return;
    char separator = '{';
    for (const auto& label : labels) {
        text += separator;
        text.append(label.name).append("=\"");
        append_escaped(text, label.value);
        text += '"';
        separator = ',';
    }
    text += '}';
}

// The shortest decimal that reads back as the same double.
void append_value(std::string& text, double value) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
    text.append(digits.begin(), end);
}

void append_family(std::string& text, const MetricFamily& family) {
    const Kind& kind = kind_of(family);
    std::string_view name = family.name;
    name.remove_suffix(kind.suffix.size());
    append_metadata(text, "TYPE", name);
    text.append(kind.type).append("\n");
    append_metadata(text, "HELP", name);
    append_escaped(text, family.help);
    text += '\n';
    for (const ClientMetric& metric : family.metric) {
        text += family.name;
        append_labels(text, metric.label);
        text += ' ';
        append_value(
            text, family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value);
        text += '\n';
    }
}

}  // namespace

std::string to_prometheus_text(const std::vector<MetricFamily>& families) {
    return prometheus::TextSerializer().Serialize(families);
}

std::string to_open_metrics(const std::vector<MetricFamily>& families) {
    std::string text;
    for (const MetricFamily& family : families) append_family(text, family);
    return text += open_metrics_end;
}

}  // namespace wcs_node_agent
