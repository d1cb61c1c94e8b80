// SPDX-License-Identifier: Apache-2.0
#include "http/media_type.hpp"

#include <gtest/gtest.h>

namespace wcs_node_agent {

namespace {

struct Row {
    const char* shows;
    const char* accept;
    bool open_metrics;
};

const Row rows[] = {
    {"no header", "", false},
    {"curl", "*/*", false},
    {"a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false},
    {"Prometheus 2.42",
     "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     true},
    {"Prometheus 3",
     "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
     "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,"
     "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
     true},
    {"OpenMetrics alone", "application/openmetrics-text", true},
    {"its older version", "application/openmetrics-text; version=0.0.1", true},
    {"a version of the future", "application/openmetrics-text; version=9.0.0", false},
    {"named beats */* at equal quality", "*/*, application/openmetrics-text", true},
    {"both named at equal quality", "application/openmetrics-text, text/plain", false},
    {"the text preferred", "application/openmetrics-text;q=0.3, text/plain;q=0.4", false},
    {"the most precise range counts",
     "text/plain;version=0.0.4;q=0.1, text/*, */*;q=0.2, "
     "application/openmetrics-text;q=0.5",
     true},
    {"q=0 is a refusal", "application/openmetrics-text;q=0, */*", false},
    {"all refused", "application/openmetrics-text;q=0, text/plain;q=0", false},
    {"case and space", "Application/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=1.0", true},
    {"a quality that is none", "application/openmetrics-text;q=much", false},
    {"rubbish", ",;=;,,q=,/;;", false},
};

}  // namespace

TEST(MediaType, NegotiatesByQuality) {
    for (const Row& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_EQ(prefers_open_metrics(row.accept), row.open_metrics);
    }
}

}  // namespace wcs_node_agent
