// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/exposition.hpp"
#include "http/metrics.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wcs_node_agent {

using Writer = ExpositionWriter;
using Metrics = std::vector<Metric>;
using Labels = std::vector<std::string_view>;
using Samples = std::function<void(const Snapshot&, Writer&)>;

inline Metric gauge(std::string name, std::string_view unit, Labels labels, std::string help,
                    Samples samples) {
    return {{std::move(name), MetricType::gauge, unit, std::move(labels), std::move(help)},
            std::move(samples)};
}

inline Metric counter(std::string name, std::string_view unit, Labels labels, std::string help,
                      Samples samples) {
    return {{std::move(name), MetricType::counter, unit, std::move(labels), std::move(help)},
            std::move(samples)};
}

using AnswerSamples = std::function<void(const Answer&, Writer&)>;

/// Of the node's answer, and of each profile's.
inline Metric answer_gauge(std::string name, std::string_view unit, Labels labels, std::string help,
                           AnswerSamples samples) {
    auto metric =
        gauge(std::move(name), unit, std::move(labels), std::move(help), Samples(samples));
    metric.of_profile = std::move(samples);
    return metric;
}

/// What is known of WCS: its page and the fetches of it.
Metrics wcs_metrics();

/// What the agent's process takes.
Metrics process_metrics();

/// What is reported to HAProxy, and how it came about.
Metrics weight_metrics();

}  // namespace wcs_node_agent
