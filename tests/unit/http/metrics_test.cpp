// SPDX-License-Identifier: Apache-2.0
#include "http/metrics.hpp"

#include "unit/http/sample_snapshot.hpp"

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;
using Series = std::map<std::string, std::string>;

/// The series of the page, as `name{labels}` and value, of which the name begins with the prefix.
Series series(const Snapshot& snapshot, const std::string& prefix) {
    Series found;
    std::istringstream page(metrics_text(snapshot, TextFormat::prometheus));
    for (std::string line; std::getline(page, line);) {
        const auto end = line.rfind(' ');
        if (line.starts_with(prefix)) found.emplace(line.substr(0, end), line.substr(end + 1));
    }
    return found;
}

}  // namespace

TEST(Metrics, OfProfilesHaveTheirLabelAndLeaveTheNodesAsTheyAre) {
    Snapshot node = busy_node();
    const auto alone = series(node, "wcs_");
    const auto help = [](const Snapshot& snapshot) {
        const auto page = metrics_text(snapshot, TextFormat::prometheus);
        return page.find("With the label profile") != std::string::npos;
    };
    EXPECT_FALSE(help(node));
    ProfileAnswer full;
    full.name = "publish";
    full.verdict = node.verdict;
    full.verdict.state = NodeState::down;
    full.verdict.weight.percent = 0;
    full.checks.checks = {3, 4, 0, 0};
    ProfileAnswer starting;
    starting.name = "play";
    starting.starting = true;
    node.profiles = {full, starting};
    EXPECT_TRUE(help(node));
    auto all = series(node, "wcs_");
    EXPECT_EQ(all[R"(wcs_node_weight_ratio{profile="publish"})"], "0");
    EXPECT_EQ(all[R"(wcs_node_state{profile="publish",state="down"})"], "1");
    EXPECT_EQ(all[R"(wcs_node_limit{profile="publish",limit="cpu"})"], "0.9");
    EXPECT_EQ(all[R"(wcs_node_agent_checks_total{profile="publish",reply="down"})"], "4");
    EXPECT_FALSE(all.contains(R"(wcs_node_weight_ratio{profile="play"})"));
    std::erase_if(all,
                  [](const auto& one) { return one.first.find("profile=") != one.first.npos; });
    EXPECT_EQ(all, alone);
}

TEST(Metrics, OfTheProcessAreThoseOfClientLibraries) {
    EXPECT_THAT(series(blind_node(), "process_"), IsEmpty());
    EXPECT_EQ(series(busy_node(), "process_"),
              (Series{{"process_cpu_seconds_total", "1.5"},
                      {"process_virtual_memory_bytes", "4096"},
                      {"process_resident_memory_bytes", "2048"},
                      {"process_open_fds", "12"},
                      {"process_max_fds", "1024"},
                      {"process_start_time_seconds", "1700000000.25"}}));
}

TEST(Metrics, TheReasonOfAStateIsOneOfAFewNames) {
    Snapshot node = busy_node();
    named(node.verdict.readings, "band_out").soft = true;
    const auto reasons = [&] {
        std::set<std::string> names;
        std::string current;
        for (const auto& [name, value] : series(node, "wcs_node_state_reason{")) {
            const auto begin = name.find('"') + 1;
            names.insert(name.substr(begin, name.rfind('"') - begin));
            if (value != "0") current += name.substr(begin, name.rfind('"') - begin);
        }
        EXPECT_THAT(names, testing::UnorderedElementsAre("cpu", "publishers", "subscribers",
                                                         "band_in", "start", "wcs_silent",
                                                         "unreadable", "no_sample", "operator"))
            << "limits that are off or soft are no reason";
        return current;
    };
    EXPECT_EQ(reasons(), "") << "up";
    node.verdict.state = NodeState::down;
    for (const std::string cause :
         {"publishers", "wcs_silent", "unreadable", "no_sample", "operator"}) {
        node.verdict.cause = cause;
        EXPECT_EQ(reasons(), cause);
    }
    node.starting = true;
    EXPECT_EQ(reasons(), "start");
}

TEST(Metrics, ReportWhatWasMeasured) {
    const Snapshot node = busy_node();
    struct Row {
        const char* prefix;
        Series expected;
    };
    const Row rows[] = {
        {"wcs_node_network_receive_bytes_total",
         {{R"(wcs_node_network_receive_bytes_total{device="eth0"})", "1000"},
          {R"(wcs_node_network_receive_bytes_total{device="eth1"})", "300"}}},
        {"wcs_node_network_transmit_bytes_total",
         {{R"(wcs_node_network_transmit_bytes_total{device="eth0"})", "2000"},
          {R"(wcs_node_network_transmit_bytes_total{device="eth1"})", "400"}}},
        {"wcs_node_network_receive_packets_total",
         {{R"(wcs_node_network_receive_packets_total{device="eth0"})", "10"},
          {R"(wcs_node_network_receive_packets_total{device="eth1"})", "3"}}},
        {"wcs_node_network_transmit_packets_total",
         {{R"(wcs_node_network_transmit_packets_total{device="eth0"})", "20"},
          {R"(wcs_node_network_transmit_packets_total{device="eth1"})", "4"}}},
        {"wcs_node_interface_selected", {{R"(wcs_node_interface_selected{device="eth0"})", "1"}}},
        {"wcs_node_bandwidth",
         {{R"(wcs_node_bandwidth_bytes_per_second{direction="in"})", "5000000"},
          {R"(wcs_node_bandwidth_bytes_per_second{direction="out"})", "9375000"}}},
        {"wcs_node_cpu_busy",
         {{R"(wcs_node_cpu_busy_seconds_total{cpu="0"})", "2.5"},
          {R"(wcs_node_cpu_busy_seconds_total{cpu="1"})", "1.25"}}},
        {"wcs_node_cpu_steal",
         {{R"(wcs_node_cpu_steal_seconds_total{cpu="0"})", "0.1"},
          {R"(wcs_node_cpu_steal_seconds_total{cpu="1"})", "0"}}},
        {"wcs_node_cpu_utilization", {{"wcs_node_cpu_utilization_ratio", "0.25"}}},
        {"wcs_node_cpu_max", {{"wcs_node_cpu_max_utilization_ratio", "0.5"}}},
        {"wcs_node_udp", {{"wcs_node_udp_receive_buffer_errors_total", "30"}}},
        {"wcs_node_softnet",
         {{"wcs_node_softnet_dropped_total", "2"}, {"wcs_node_softnet_time_squeeze_total", "8"}}},
        {"wcs_publishers",
         {{R"(wcs_publishers{protocol="webrtc"})", "5"},
          {R"(wcs_publishers{protocol="rtmp"})", "2"},
          {R"(wcs_publishers{protocol="rtsp"})", "0"}}},
        {"wcs_subscribers",
         {{R"(wcs_subscribers{protocol="webrtc"})", "40"},
          {R"(wcs_subscribers{protocol="rtmp"})", "0"},
          {R"(wcs_subscribers{protocol="rtsp"})", "1"}}},
        {"wcs_hls_streams", {{"wcs_hls_streams", "3"}}},
        {"wcs_stat{", {{R"(wcs_stat{key="connections"})", "12.5"}}},
        {"wcs_stat_age", {{"wcs_stat_age_seconds", "0.5"}}},
        {"wcs_up", {{"wcs_up", "1"}}},
        {"wcs_fetch_duration", {{"wcs_fetch_duration_seconds", "0.004"}}},
        {"wcs_node_limit{",
         {{R"(wcs_node_limit{limit="cpu"})", "0.9"},
          {R"(wcs_node_limit{limit="publishers"})", "100"},
          {R"(wcs_node_limit{limit="subscribers"})", "100"},
          {R"(wcs_node_limit{limit="band_in"})", "12500000"},
          {R"(wcs_node_limit{limit="band_out"})", "12500000"}}},
        {"wcs_node_limit_unknown{",
         {{R"(wcs_node_limit_unknown{limit="cpu"})", "0"},
          {R"(wcs_node_limit_unknown{limit="publishers"})", "0"},
          {R"(wcs_node_limit_unknown{limit="subscribers"})", "0"},
          {R"(wcs_node_limit_unknown{limit="band_in"})", "0"},
          {R"(wcs_node_limit_unknown{limit="band_out"})", "0"}}},
        {R"(wcs_node_limit_utilization_ratio{limit="band_out"})",
         {{R"(wcs_node_limit_utilization_ratio{limit="band_out"})", "0.75"}}},
        {R"(wcs_node_limit_utilization_ratio{limit="hls"})", {}},
        {"wcs_node_weight_",
         {{"wcs_node_weight_ratio", "0.25"},
          {"wcs_node_weight_raw_ratio", "0.375"},
          {"wcs_node_weight_effect_ratio", "1.75"}}},
        {"wcs_node_recent_",
         {{"wcs_node_recent_sessions", "5"}, {"wcs_node_recent_utilization_ratio", "0.125"}}},
        {"wcs_node_capacity_",
         {{"wcs_node_capacity_sessions", "40"}, {"wcs_node_capacity_reference_sessions", "50"}}},
        {"wcs_node_arrival_", {{"wcs_node_arrival_dispersion_ratio", "0.625"}}},
        {"wcs_node_fleet_", {{"wcs_node_fleet_level_ratio", "0.5625"}}},
        {"wcs_node_trend_", {{"wcs_node_trend_ratio", "0.875"}}},
        {"wcs_node_ramp_", {{"wcs_node_ramp_ratio", "0.75"}}},
        {"wcs_node_balancers", {{"wcs_node_balancers", "2"}}},
        {"wcs_node_maxconn", {}},
        {"wcs_node_state_change", {{"wcs_node_state_change_timestamp_seconds", "1699999992.125"}}},
        {"wcs_node_state{",
         {{R"(wcs_node_state{state="up"})", "1"},
          {R"(wcs_node_state{state="down"})", "0"},
          {R"(wcs_node_state{state="drain"})", "0"},
          {R"(wcs_node_state{state="maint"})", "0"}}},
        {"wcs_node_agent_source",
         {{R"(wcs_node_agent_source{source="ebpf"})", "1"},
          {R"(wcs_node_agent_source{source="procfs"})", "0"}}},
        {"wcs_node_agent_checks",
         {{R"(wcs_node_agent_checks_total{reply="up"})", "11"},
          {R"(wcs_node_agent_checks_total{reply="down"})", "1"},
          {R"(wcs_node_agent_checks_total{reply="drain"})", "0"},
          {R"(wcs_node_agent_checks_total{reply="maint"})", "0"}}},
        {"wcs_node_agent_rejected", {{"wcs_node_agent_rejected_connections_total", "4"}}},
        {"wcs_node_agent_displaced", {{"wcs_node_agent_displaced_connections_total", "6"}}},
        {"wcs_node_agent_scrapes", {{"wcs_node_agent_scrapes_total", "6"}}},
        {"wcs_node_agent_unplaced", {{"wcs_node_agent_unplaced_packets_total", "7"}}},
        {"wcs_node_agent_program_attached",
         {{R"(wcs_node_agent_program_attached{program="count_receive"})", "2"},
          {R"(wcs_node_agent_program_attached{program="count_drop"})", "1"}}},
        {"wcs_node_agent_program_runs",
         {{R"(wcs_node_agent_program_runs_total{program="count_receive"})", "40"}}},
        {"wcs_node_agent_program_run_seconds",
         {{R"(wcs_node_agent_program_run_seconds_total{program="count_receive"})", "0.0015"}}},
        {R"(wcs_fetch_failures_total{reason="timeout"})",
         {{R"(wcs_fetch_failures_total{reason="timeout"})", "2"}}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.prefix);
        EXPECT_EQ(series(node, row.prefix), row.expected);
    }
    EXPECT_EQ(series(node, "wcs_node_agent_build_info{").size(), 1U);
}

TEST(Metrics, SayWhatWasCountedAsSent) {
    struct Row {
        Source source;
        QdiscDrops drops;
        const char* expected;
    };
    const Row rows[] = {
        {Source::ebpf, QdiscDrops::subtracted, "discipline drops is not included."},
        {Source::ebpf, QdiscDrops::subtracted_at_enqueue,
         "drops on arrival is not included, what CoDel drops later is."},
        {Source::ebpf, QdiscDrops::count_as_sent, "discipline drops is included."},
        {Source::procfs, QdiscDrops::count_as_sent,
         "As the interface's own counters have it: a GRO or GSO aggregate counts once."},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.expected);
        Snapshot node = busy_node();
        node.source = row.source;
        node.counters.qdisc_drops = row.drops;
        for (const auto* name :
             {"wcs_node_network_transmit_bytes_total", "wcs_node_network_transmit_packets_total"}) {
            const auto help = series(node, std::string("# HELP ") + name);
            ASSERT_EQ(help.size(), 1U);
            EXPECT_THAT(help.begin()->first + " " + help.begin()->second,
                        testing::EndsWith(row.expected));
        }
    }
}

// The table is the documentation too.
TEST(Metrics, HaveRowsThatHoldTogether) {
    std::set<std::string_view> names;
    for (const Metric& metric : metrics()) {
        const auto& [name, type, unit, labels, help] = metric.family;
        SCOPED_TRACE(name);
        EXPECT_TRUE(names.insert(name).second) << "duplicate";
        EXPECT_EQ(name.ends_with("_total"), type == MetricType::counter);
        EXPECT_EQ(name.ends_with("_info"), type == MetricType::info);
        for (const std::string base : {"bytes", "seconds", "ratio"}) {
            const auto suffix = "_" + base + (type == MetricType::counter ? "_total" : "");
            EXPECT_EQ(name.ends_with(suffix), unit == base);
        }
        EXPECT_THAT(help, testing::EndsWith("."));
        EXPECT_THAT(metric.group,
                    testing::AnyOf("node", "wcs", "limits", "weight", "process", "agent"));
        EXPECT_EQ(!metric.samples, &metric == &metrics().back()) << "only the age has no source";
    }
}

TEST(Metrics, GiveEachSampleTheLabelsOfItsRow) {
    Snapshot node = busy_node();
    node.peaks = {1e9, 2e9, 0.5, 0.25, 8ms};
    node.verdict.weight.maxconn = 60;
    node.word = {.word = Word::drain, .by = "root", .since = {}};
    for (const Metric& metric : metrics()) {
        if (!metric.samples) continue;
        std::string labels;
        for (const auto label : metric.family.labels)
            labels += (labels.empty() ? "" : ",") + std::string(label) + R"(="[^"]*")";
        const auto expected = labels.empty() ? "" : R"(\{)" + labels + R"(\})";
        ExpositionWriter writer(TextFormat::prometheus);
        writer.begin(metric.family);
        metric.samples(node, writer);
        const auto text = std::move(writer).take();
        EXPECT_THAT(text, testing::MatchesRegex("# HELP [^\n]+\n# TYPE [^\n]+\n(" +
                                                metric.family.name + expected + " [0-9.e+-]+\n)+"))
            << metric.family.name;
    }
}

TEST(Metrics, SayHowLongABucketIs) {
    Snapshot node = busy_node();
    EXPECT_THAT(series(node, "wcs_node_bandwidth_peak"), IsEmpty());
    node.peaks = {.bits_in = 8e6, .bits_out = 16e6, .over_limit_out = 0.25, .bucket = 8ms};
    EXPECT_THAT(
        series(node, "wcs_node_bandwidth_peak"),
        UnorderedElementsAre(
            Pair(R"(wcs_node_bandwidth_peak_bytes_per_second{direction="in"})", "1000000"),
            Pair(R"(wcs_node_bandwidth_peak_bytes_per_second{direction="out"})", "2000000")));
    EXPECT_THAT(series(node, "wcs_node_bandwidth_over"),
                UnorderedElementsAre(
                    Pair(R"(wcs_node_bandwidth_over_limit_ratio{direction="out"})", "0.25")))
        << "nothing is held against a limit that is off";
    for (const char* name :
         {"wcs_node_bandwidth_peak_bytes_per_second", "wcs_node_bandwidth_over_limit_ratio"}) {
        const auto help = series(node, std::string("# HELP ") + name);
        ASSERT_EQ(help.size(), 1U);
        EXPECT_THAT(help.begin()->first + " " + help.begin()->second,
                    testing::EndsWith("A bucket is 8 ms."));
    }
}

TEST(Metrics, GiveTheUnknownNoSeries) {
    const Snapshot node = blind_node();
    for (const char* name : {"wcs_up", "wcs_stat", "wcs_publishers", "wcs_subscribers", "wcs_hls",
                             "wcs_fault", "wcs_fetch_duration", "wcs_node_bandwidth",
                             "wcs_node_cpu", "wcs_node_network", "wcs_node_limit"})
        EXPECT_THAT(series(node, name), IsEmpty()) << name;
}

TEST(Metrics, GiveACountWithoutItsNameNoSeries) {
    Snapshot node = busy_node();
    node.wcs.counts.publishers[static_cast<std::size_t>(Protocol::rtmp)].reset();
    EXPECT_THAT(series(node, "wcs_publishers"),
                UnorderedElementsAre(Pair(R"(wcs_publishers{protocol="webrtc"})", "5"),
                                     Pair(R"(wcs_publishers{protocol="rtsp"})", "0")));
}

TEST(Metrics, TakeCountsAwayWithTheirPagesAge) {
    Snapshot node = busy_node();
    node.wcs.fault = WcsFault::timeout;
    node.wcs.page_at = node.at - node.stale_after;
    for (const char* name : {"wcs_publishers", "wcs_subscribers", "wcs_hls_streams", "wcs_stat{"})
        EXPECT_THAT(series(node, name), IsEmpty()) << name;
    EXPECT_THAT(series(node, "wcs_stat_age"),
                UnorderedElementsAre(Pair("wcs_stat_age_seconds", "10")));
    EXPECT_THAT(series(node, "wcs_up"), UnorderedElementsAre(Pair("wcs_up", "0")));
    EXPECT_THAT(series(node, R"(wcs_fault{reason="timeout"})"),
                UnorderedElementsAre(Pair(R"(wcs_fault{reason="timeout"})", "1")));
    EXPECT_THAT(series(node, R"(wcs_fault{reason="connect"})"),
                UnorderedElementsAre(Pair(R"(wcs_fault{reason="connect"})", "0")));
}

TEST(Metrics, FollowTheNamesThatMakeUpTheCounts) {
    Snapshot node = busy_node();
    node.count_names.hls = {"connections"};
    EXPECT_THAT(series(node, "wcs_stat{"),
                UnorderedElementsAre(Pair(R"(wcs_stat{key="streams_hls"})", "3")));
}

TEST(Metrics, KeepLabelsValidWhateverWcsSends) {
    Snapshot node = busy_node();
    WcsPage page;
    page.numbers = {{"a\xFF\"\\\n", 1}};
    node.wcs.page = std::make_shared<WcsPage>(std::move(page));
    EXPECT_THAT(series(node, "wcs_stat{"),
                UnorderedElementsAre(Pair(R"(wcs_stat{key="a?\"\\\n"})", "1")));
}

}  // namespace wcs_node_agent::test
