// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wcs_node_agent {

/// Prometheus text format 0.0.4, and OpenMetrics 1.0.0.
enum class TextFormat { prometheus, open_metrics };

constexpr std::string_view content_type(TextFormat format) {
    return format == TextFormat::open_metrics
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

/// An info metric is a gauge that is always 1; the text format has no such type.
enum class MetricType { counter, gauge, info };

constexpr std::string_view to_string(MetricType type) {
    switch (type) {
        case MetricType::counter:
            return "counter";
        case MetricType::gauge:
            return "gauge";
        case MetricType::info:
            return "info";
    }
    return "unknown";
}

/// What is said once of all series with one name.
struct MetricFamily {
    std::string name;  // of the samples: a counter's ends in `_total`, an info metric's in `_info`
    MetricType type;
    std::string_view unit;                 // a base unit that the name ends in, another, or empty
    std::vector<std::string_view> labels;  // their names
    std::string help;                      // plain sentences in UTF-8
};

/// Writes metric families to one page. A family without samples leaves nothing on it.
class ExpositionWriter {
 public:
    explicit ExpositionWriter(TextFormat format) : format_(format) {}

    /// The samples that follow are of this family, which must outlive them. The note ends its HELP
    /// text.
    void begin(const MetricFamily& family, std::string_view note = {});

    /// The series that follow have this label too, before their own; empty: none. Both must outlive
    /// them.
    void set_common_label(std::string_view name, std::string_view value) {
        common_name_ = name;
        common_value_ = value;
    }

    using LabelValues = std::initializer_list<std::string_view>;

    // A sample, with a value for each label of the family. Bytes of a label value that are not
    // UTF-8 become `?`.
    void add(double value, LabelValues label_values = {});
    void add(std::uint64_t value, LabelValues label_values = {});
    void add(bool value, LabelValues label_values = {}) { add(value ? 1.0 : 0.0, label_values); }
    void add(std::chrono::nanoseconds value, LabelValues label_values = {}) {
        add(Seconds(value).count(), label_values);
    }
    /// An unknown value is no sample.
    template <class T>
    void add(const std::optional<T>& value, LabelValues label_values = {}) {
        if (value) add(*value, label_values);
    }

    /// The last line that the format asks for.
    void end();

    std::string take() && { return std::move(page_); }

 private:
    void write_header();
    void write_series(LabelValues label_values);

    TextFormat format_;
    std::string page_;
    const MetricFamily* family_ = nullptr;
    std::string_view note_;
    std::string_view common_name_;
    std::string_view common_value_;
    bool header_is_due_ = false;
};

}  // namespace wcs_node_agent
