// SPDX-License-Identifier: Apache-2.0
#include "http/status_json.hpp"

#include "unit/http/sample_snapshot.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace wcs_node_agent::test {

namespace {

using Json = nlohmann::json;

}  // namespace

TEST(StatusJson, HoldsEveryFigureBehindTheVerdict) {
    const Json status = Json::parse(status_json(busy_node()));
    struct Row {
        const char* pointer;
        Json value;
    };
    const Row rows[] = {
        {"/time", "2023-11-14T22:13:20.125Z"},
        {"/uptime_seconds", 10.5},
        {"/state", "up"},
        {"/weight", 25},
        {"/reason", nullptr},
        {"/reply", "up 25%"},
        {"/bottleneck", "band_out"},
        {"/weighing",
         {{"policy", "headroom"},
          {"raw", 37.5},
          {"recent_sessions", 5.0},
          {"added_utilisation", 0.125},
          {"capacity_sessions", 40.0},
          {"reference_sessions", 50.0},
          {"effect", 1.75},
          {"arrival_dispersion", 0.625},
          {"fleet_level", 0.5625},
          {"trend", 0.875},
          {"held", true},
          {"ramp", 0.75},
          {"balancers", 2},
          {"maxconn", nullptr},
          {"explanation",
           "headroom: 37.5 % free, 5 new sessions take 12.5 %, times 0.88 as the fleet is at "
           "56.3 %, held for now, at most 75 % so soon, capacity 40 of 50 sessions"}}},
        {"/last_change",
         {{"time", "2023-11-14T22:13:12.125Z"},
          {"age_seconds", 8.0},
          {"reason", "no longer down: cpu 91.0 of 90"}}},
        {"/limits/cpu/unit", "percent"},
        {"/limits/hls/unit", "streams"},
        {"/limits/hls/value", 3.0},
        {"/limits/hls/maximum", nullptr},
        {"/limits/hls/utilisation", nullptr},
        {"/limits/band_out",
         {{"unit", "megabits_per_second"},
          {"value", 75.0},
          {"maximum", 100.0},
          {"share", 80.0},
          {"utilisation", 0.75},
          {"soft", false},
          {"unknown", nullptr},
          {"at_least", false},
          {"up_again_below", nullptr}}},
        {"/rates/bits_in_per_second", 40e6},
        {"/rates/bits_out_per_second", 75e6},
        {"/rates/frames_in_per_second", 5000.0},
        {"/rates/frames_out_per_second", 8000.0},
        {"/rates/cpu_utilisation", 0.25},
        {"/rates/cpu_max_utilisation", 0.5},
        {"/receive",
         {{"udp_received_datagrams", 9000},
          {"udp_receive_buffer_errors", 30},
          {"softnet_dropped", 2},
          {"softnet_time_squeeze", 8}}},
        {"/source", {{"name", "ebpf"}, {"detail", nullptr}}},
        {"/interfaces/0",
         {{"index", 2},
          {"name", "eth0"},
          {"chosen", true},
          {"counted_by", "ebpf"},
          {"receive_bytes", 1000},
          {"receive_packets", 10},
          {"transmit_bytes", 2000},
          {"transmit_packets", 20}}},
        {"/interfaces/1/chosen", false},
        {"/dropped_packets", {{"no_socket", 5}}},
        {"/unplaced_packets", 7},
        {"/cpus/0", {{"cpu", 0}, {"busy_seconds", 2.5}, {"steal_seconds", 0.1}}},
        {"/wcs/up", true},
        {"/wcs/fault", nullptr},
        {"/wcs/fault_text", nullptr},
        {"/wcs/page_age_seconds", 0.5},
        {"/wcs/stale_after_seconds", 10.0},
        {"/wcs/page/publishers", {{"webrtc", 5.0}, {"rtmp", 2.0}, {"rtsp", 0.0}}},
        {"/wcs/merged/subscribers", {{"value", 41.0}, {"age_seconds", 0.5}}},
        {"/wcs/failures/timeout", 2},
        {"/agent/checks/up", 11},
        {"/agent/rejected_connections", 4},
        {"/agent/displaced_connections", 6},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.pointer);
        EXPECT_EQ(status.at(Json::json_pointer(row.pointer)), row.value);
    }
}

TEST(StatusJson, HasTheBoundThatHAProxyHas) {
    auto node = busy_node();
    for (const unsigned maxconn : {60u, unbounded_connections}) {
        node.verdict.weight.maxconn = maxconn;
        const Json status = Json::parse(status_json(node));
        EXPECT_EQ(status["reply"], "up 25% maxconn:" + std::to_string(maxconn));
        EXPECT_EQ(status["weighing"]["maxconn"], maxconn == 60 ? Json(60) : Json()) << "lifted";
    }
}

TEST(StatusJson, HasPeaks) {
    auto node = busy_node();
    node.peaks = {.bits_in = 50e6,
                  .bits_out = 150e6,
                  .over_limit_in = {},
                  .over_limit_out = 0.25,
                  .bucket = std::chrono::milliseconds(8)};
    const Json rates = Json::parse(status_json(node)).at("rates");
    EXPECT_EQ(rates.at("peak_bits_in_per_second"), 50e6);
    EXPECT_EQ(rates.at("peak_bits_out_per_second"), 150e6);
    EXPECT_EQ(rates.at("peak_bucket_seconds"), 0.008);
    EXPECT_EQ(rates.at("over_limit_in_ratio"), Json());
    EXPECT_EQ(rates.at("over_limit_out_ratio"), 0.25);
}

TEST(StatusJson, SaysNullForTheUnknown) {
    const Json status = Json::parse(status_json(blind_node()));
    for (const char* pointer : {"/bottleneck",
                                "/cause",
                                "/limits/cpu/up_again_below",
                                "/last_change",
                                "/weighing/maxconn",
                                "/limits/cpu/value",
                                "/rates/bits_in_per_second",
                                "/rates/cpu_utilisation",
                                "/rates/peak_bits_in_per_second",
                                "/rates/peak_bucket_seconds",
                                "/rates/over_limit_out_ratio",
                                "/rates/cpu_max_utilisation",
                                "/rates/frames_in_per_second",
                                "/receive/udp_receive_buffer_errors",
                                "/receive/softnet_dropped",
                                "/wcs/up",
                                "/wcs/page_age_seconds",
                                "/wcs/page/publishers/webrtc",
                                "/wcs/page/hls",
                                "/wcs/merged/hls",
                                "/wcs/fetch_duration_seconds"})
        EXPECT_EQ(status.at(Json::json_pointer(pointer)), Json()) << pointer;
}

TEST(StatusJson, SaysWhatIsWrong) {
    Snapshot node = busy_node();
    node.source = Source::procfs;
    node.source_detail = "no BTF";
    node.wcs.fault = WcsFault::connect;
    node.wcs.fault_text = "connection refused\xFF";
    node.verdict.state = NodeState::down;
    node.verdict.reason = "WCS does not answer";
    node.verdict.cause = "wcs_silent";
    named(node.verdict.readings, "band_out").up_again_below = 95;
    const Json status = Json::parse(status_json(node));
    EXPECT_EQ(status["source"]["detail"], "no BTF");
    EXPECT_EQ(status["wcs"]["up"], false);
    EXPECT_EQ(status["wcs"]["fault"], "connect");
    EXPECT_EQ(status["wcs"]["fault_text"], "connection refused\uFFFD");
    EXPECT_EQ(status["reply"], "down # WCS does not answer");
    EXPECT_EQ(status["cause"], "wcs_silent");
    EXPECT_EQ(status["limits"]["band_out"]["up_again_below"], 95);
}

}  // namespace wcs_node_agent::test
