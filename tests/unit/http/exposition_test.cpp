// SPDX-License-Identifier: Apache-2.0
#include "http/exposition.hpp"

#include "http/metrics.hpp"
#include "temporary_folder.hpp"
#include "unit/http/sample_snapshot.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily family(MetricType type, std::string name, double value,
                    std::vector<ClientMetric::Label> labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = metric.gauge.value = value;
    return {std::move(name), "Help.", type, {metric}};
}

struct Outcome {
    int status = 0;
    std::string output;
};

Outcome run(const std::string& command) {
    Outcome outcome;
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    std::array<char, 4096> buffer;
    while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe))
        outcome.output.append(buffer.data(), size);
    outcome.status = ::pclose(pipe);
    return outcome;
}

/// Tests that hand a page to the real promtool, in a folder of their own.
class Promtool : public testing::Test {
 protected:
    void SetUp() override {
        if (run("promtool --version").status == 0) return;
        if (std::getenv("WNA_REQUIRE_ALL") != nullptr) FAIL() << "promtool is not installed";
        GTEST_SKIP() << "needs promtool (package prometheus)";
    }
    std::string write(const std::string& text) const {
        return folder_.write("page", text).string();
    }

    std::vector<MetricFamily> families_ = [] {
        auto families = metric_families(busy_node());
        families.push_back(sample_age_family(Seconds(0.125)));
        return families;
    }();
    test::TemporaryFolder folder_;
};

}  // namespace

TEST(OpenMetrics, WritesEachKind) {
    struct Row {
        const char* shows;
        MetricFamily family;
        const char* text;
    };
    const Row rows[] = {
        {"a counter's family lacks the suffix of its sample",
         family(MetricType::Counter, "checks_total", 12, {{"reply", "up"}}),
         "# TYPE checks counter\n# HELP checks Help.\nchecks_total{reply=\"up\"} 12\n"},
        {"a gauge", family(MetricType::Gauge, "load_ratio", 0.1),
         "# TYPE load_ratio gauge\n# HELP load_ratio Help.\nload_ratio 0.1\n"},
        {"build information", family(MetricType::Gauge, "build_info", 1, {{"a", "b"}, {"c", "d"}}),
         "# TYPE build info\n# HELP build Help.\nbuild_info{a=\"b\",c=\"d\"} 1\n"},
        {"escapes", family(MetricType::Gauge, "stat", 1, {{"key", "a\"b\\c\nd"}}),
         "# TYPE stat gauge\n# HELP stat Help.\nstat{key=\"a\\\"b\\\\c\\nd\"} 1\n"},
        {"every digit of a large count",
         family(MetricType::Counter, "bytes_total", 9007199254740991),
         "# TYPE bytes counter\n# HELP bytes Help.\nbytes_total 9007199254740991\n"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_EQ(to_open_metrics({row.family}), row.text + std::string(open_metrics_end));
    }
}

TEST(OpenMetrics, EndsAnEmptyPageToo) { EXPECT_EQ(to_open_metrics({}), "# EOF\n"); }

// The one complaint is about a name that dashboards rely on: promtool would have bytes.
TEST_F(Promtool, FindsNothingWrongWithTheText) {
    const auto page = write(to_prometheus_text(families_));
    EXPECT_THAT(run("promtool check metrics < " + page).output,
                testing::AnyOf("",
                               "wcs_node_bandwidth_bits_per_second use base unit \"bytes\" "
                               "instead of \"bits\"\n"));
}

// promtool has no check for OpenMetrics, but makes blocks from it with Prometheus' own parser. That
// wants a time with each sample.
TEST_F(Promtool, ReadsTheOpenMetricsText) {
    std::istringstream lines(to_open_metrics(families_));
    std::string timed;
    for (std::string line; std::getline(lines, line);)
        timed += line.starts_with('#') ? line + "\n" : line + " 1700000000\n";
    const auto page = write(timed);
    const auto made = run("promtool tsdb create-blocks-from openmetrics " + page + " " +
                          (folder_.path() / "db").string());
    EXPECT_EQ(made.status, 0) << made.output;
    std::filesystem::create_directory(folder_.path() / "db" / "wal");  // dump insists on one
    const auto read_back = run("promtool tsdb dump " + (folder_.path() / "db").string());
    EXPECT_THAT(read_back.output, testing::HasSubstr("wcs_node_network_receive_bytes_total"));
    EXPECT_THAT(read_back.output, testing::HasSubstr("wcs_node_agent_build_info"));
}

}  // namespace wcs_node_agent::test
