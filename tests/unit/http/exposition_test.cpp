// SPDX-License-Identifier: Apache-2.0
#include "http/exposition.hpp"

#include "http/metrics.hpp"
#include "temporary_folder.hpp"
#include "unit/http/sample_snapshot.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

/// A page of one family.
template <class Value>
std::string page(TextFormat format, const MetricFamily& family, Value value,
                 ExpositionWriter::LabelValues label_values = {}) {
    ExpositionWriter writer(format);
    writer.begin(family);
    writer.add(value, label_values);
    return std::move(writer).take();
}

MetricFamily gauge(std::string name, std::vector<std::string_view> labels = {}) {
    return {std::move(name), MetricType::gauge, "", std::move(labels), "Help."};
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

    static std::string busy_page(TextFormat format) {
        return metrics_text(busy_node(), format) +
               sample_age_text(std::chrono::milliseconds(125), format);
    }

    test::TemporaryFolder folder_;
};

}  // namespace

TEST(ExpositionWriter, WritesEachTypeInEachFormat) {
    const MetricFamily checks{"checks_total", MetricType::counter, "", {"reply"}, "Help."};
    const MetricFamily build{"build_info", MetricType::info, "", {"a", "c"}, "Help."};
    struct Row {
        const char* shows;
        std::string (*page)(TextFormat, const MetricFamily&);
        const MetricFamily& family;
        const char* text;
        const char* open;
    };
    const MetricFamily load = gauge("load_ratio");
    const Row rows[] = {
        {"a counter: in OpenMetrics its family lacks the suffix of its samples",
         [](TextFormat format, const MetricFamily& family) {
             return page(format, family, std::uint64_t{12}, {"up"});
         },
         checks,
         "# HELP checks_total Help.\n# TYPE checks_total counter\nchecks_total{reply=\"up\"} 12\n",
         "# HELP checks Help.\n# TYPE checks counter\nchecks_total{reply=\"up\"} 12\n"},
        {"a gauge",
         [](TextFormat format, const MetricFamily& family) { return page(format, family, 0.1); },
         load, "# HELP load_ratio Help.\n# TYPE load_ratio gauge\nload_ratio 0.1\n",
         "# HELP load_ratio Help.\n# TYPE load_ratio gauge\nload_ratio 0.1\n"},
        {"build information, a gauge in the text format",
         [](TextFormat format, const MetricFamily& family) {
             return page(format, family, 1.0, {"b", "d"});
         },
         build, "# HELP build_info Help.\n# TYPE build_info gauge\nbuild_info{a=\"b\",c=\"d\"} 1\n",
         "# HELP build Help.\n# TYPE build info\nbuild_info{a=\"b\",c=\"d\"} 1\n"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_EQ(row.page(TextFormat::prometheus, row.family), row.text);
        EXPECT_EQ(row.page(TextFormat::open_metrics, row.family), row.open);
    }
}

TEST(ExpositionWriter, EscapesByTheRulesOfEachFormat) {
    const MetricFamily stat{"stat", MetricType::gauge, "", {"key"}, "a\"b\\c\nd"};
    const char* sample = "stat{key=\"a\\\"b\\\\c\\nd\"} 1\n";
    EXPECT_EQ(page(TextFormat::prometheus, stat, 1.0, {stat.help}),
              std::string("# HELP stat a\"b\\\\c\\nd\n# TYPE stat gauge\n") + sample);
    EXPECT_EQ(page(TextFormat::open_metrics, stat, 1.0, {stat.help}),
              std::string("# HELP stat a\\\"b\\\\c\\nd\n# TYPE stat gauge\n") + sample);
}

TEST(ExpositionWriter, WritesValuesThatReadBackAsTheSame) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    struct Row {
        std::string page;
        const char* value;
    };
    const auto write = [](auto value) { return page(TextFormat::prometheus, gauge("x"), value); };
    const Row rows[] = {
        {write(0.1), "0.1"},
        {write(1.0 / 3), "0.3333333333333333"},
        {write(123456789.123456789), "123456789.12345679"},
        {write(40e6), "40000000"},
        {write(-9007199254740991.0), "-9007199254740991"},
        {write(1e22), "1e+22"},
        {write(5e-324), "5e-324"},
        {write(-infinity), "-Inf"},
        {write(infinity), "+Inf"},
        {write(std::numeric_limits<double>::quiet_NaN()), "NaN"},
        {write(true), "1"},
        {write(false), "0"},
        {write(std::chrono::nanoseconds(1'500'000'000)), "1.5"},
        {write(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615"},
    };
    for (const Row& row : rows)
        EXPECT_EQ(row.page, std::string("# HELP x Help.\n# TYPE x gauge\nx ") + row.value + "\n");
}

TEST(ExpositionWriter, LeavesOutAFamilyWithoutSamples) {
    for (const auto format : {TextFormat::prometheus, TextFormat::open_metrics})
        EXPECT_EQ(page(format, gauge("x"), std::optional<double>()), "");
}

TEST(ExpositionWriter, EndsTheHelpTextWithTheNote) {
    const MetricFamily family = gauge("x");
    ExpositionWriter writer(TextFormat::prometheus);
    writer.begin(family, "Note.");
    writer.add(1.0);
    writer.add(2.0);
    EXPECT_EQ(std::move(writer).take(), "# HELP x Help. Note.\n# TYPE x gauge\nx 1\nx 2\n");
}

TEST(ExpositionWriter, EndsAnOpenMetricsPageAlone) {
    ExpositionWriter open(TextFormat::open_metrics), text(TextFormat::prometheus);
    open.end();
    text.end();
    EXPECT_EQ(std::move(open).take(), "# EOF\n");
    EXPECT_EQ(std::move(text).take(), "");
}

TEST_F(Promtool, FindsNothingWrongWithTheText) {
    const auto page = write(busy_page(TextFormat::prometheus));
    EXPECT_EQ(run("promtool check metrics < " + page).output, "");
}

// promtool has no check for OpenMetrics, but makes blocks from it with Prometheus' own parser. That
// wants a time with each sample.
TEST_F(Promtool, ReadsTheOpenMetricsText) {
    std::istringstream lines(busy_page(TextFormat::open_metrics));
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
