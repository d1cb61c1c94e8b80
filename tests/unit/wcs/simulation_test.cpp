// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/simulation.hpp"

#include "wcs/page.hpp"

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::sim {
namespace {

using testing::HasSubstr;
using testing::Not;

WcsPage parsed(const std::string& body) {
    return parse_page(body, Ending::known, 1000, CountNames{}).value();
}

std::set<std::string> names(const WcsPage& page) {
    std::set<std::string> all;
    for (const auto& [name, number] : page.numbers) {
        all.insert(name);
    }
    for (const auto& [name, text] : page.texts) {
        all.insert(name);
    }
    return all;
}

Simulation with(std::vector<Setting> settings) {
    return with_settings(Simulation{}, settings).value();
}

TEST(SimulatedPage, HasTheNamesOfABusyNode) {
    std::ifstream file(WNA_TEST_DATA "/wcs/busy-node.txt");
    std::ostringstream text;
    text << file.rdbuf();
    const auto busy = parsed(text.str());
    const auto idle = parsed(page_body(Simulation{}, PageFormat::text, ""));
    EXPECT_EQ(names(idle), names(busy));
    const auto counts = count_streams(idle, CountNames{});
    EXPECT_EQ(counts.missing, "");
    EXPECT_EQ(counts.hls, 0);
}

TEST(SimulatedPage, JsonSaysTheSame) {
    const auto simulation = with({{"streams_hls", "4"}});
    const auto text = parsed(page_body(simulation, PageFormat::text, ""));
    const auto json = parsed(page_body(simulation, PageFormat::json, ""));
    EXPECT_EQ(json.numbers, text.numbers);
    EXPECT_EQ(json.texts, text.texts);
}

TEST(SimulatedPage, AGroupNarrowsIt) {
    for (const auto format : {PageFormat::text, PageFormat::json}) {
        const auto body = page_body(Simulation{}, format, "port_stats");
        EXPECT_THAT(body, HasSubstr("ports_media_free"));
        EXPECT_THAT(body, Not(HasSubstr("streams_hls")));
    }
}

TEST(SimulatedPage, IsPaddedToASizeAndStaysAPage) {
    const auto simulation = with({{"size_mb", "2"}, {"streams_hls", "4"}});
    for (const auto format : {PageFormat::text, PageFormat::json}) {
        const auto body = page_body(simulation, format, "");
        EXPECT_GE(body.size(), 2U << 20U);
        EXPECT_LT(body.size(), (2U << 20U) + 100);
        EXPECT_EQ(count_streams(parsed(body), CountNames{}).hls, 4);
    }
}

TEST(SimulatedPage, ListsStreamsAtItsEnd) {
    const auto simulation = with({{"streams", "3"}, {"streams_hls", "4"}});
    for (const auto format : {PageFormat::text, PageFormat::json}) {
        const auto page = parsed(page_body(simulation, format, ""));
        EXPECT_EQ(count_streams(page, CountNames{}).hls, 4);
        EXPECT_EQ(page.texts.count("stream_0000000"), 1U);
        EXPECT_EQ(page.texts.count("stream_0000002"), 1U);
        EXPECT_EQ(page.texts.count("stream_0000003"), 0U);
        const auto alone = parsed(page_body(simulation, format, "stream_list"));
        EXPECT_EQ(alone.texts.size() + alone.numbers.size(), 3U);
        EXPECT_THAT(page_body(simulation, format, "port_stats"), Not(HasSubstr("stream_0")));
    }
}

TEST(SimulatedPage, GarbageIsNoPage) {
    EXPECT_FALSE(parse_page(garbage_body(), Ending::known, 1000, CountNames{}));
    EXPECT_EQ(garbage_body(), garbage_body());
}

TEST(Settings, Faults) {
    const auto faults = with({{"delay_ms", "7"},
                              {"status", "503"},
                              {"garbage", "1"},
                              {"truncate", "9"},
                              {"hang", "1"},
                              {"size_mb", "3"},
                              {"refuse", "1"},
                              {"bytes_per_second", "5"},
                              {"chunked", "1"},
                              {"reset", "1"}})
                            .faults;
    EXPECT_EQ(faults.delay, std::chrono::milliseconds(7));
    EXPECT_EQ(faults.status, 503);
    EXPECT_TRUE(faults.garbage);
    EXPECT_EQ(faults.truncate, 9U);
    EXPECT_TRUE(faults.hang);
    EXPECT_EQ(faults.size_mb, 3U);
    EXPECT_TRUE(faults.refuse);
    EXPECT_EQ(faults.bytes_per_second, 5U);
    EXPECT_TRUE(faults.chunked);
    EXPECT_TRUE(faults.reset);
}

TEST(Settings, ZeroIsOff) {
    auto simulation = with({{"status", "503"}, {"garbage", "1"}, {"hang", "1"}});
    const std::vector<Setting> off{{"status", "0"}, {"garbage", "0"}, {"hang", "0"}};
    const auto faults = with_settings(simulation, off).value().faults;
    EXPECT_EQ(faults.status, 0);
    EXPECT_FALSE(faults.garbage);
    EXPECT_FALSE(faults.hang);
}

TEST(Settings, OnThePage) {
    const auto simulation = with({{"streams_webrtc_out", "40"},
                                  {"connections_new", "1"},
                                  {"system_new", "2"},
                                  {"degraded_streams_percent", ""}});
    const auto body = page_body(simulation, PageFormat::text, "");
    EXPECT_THAT(body, HasSubstr("\nstreams_webrtc_out=40\n"));
    EXPECT_THAT(body, HasSubstr("connections_new=1\n-----Port Stats"));
    EXPECT_THAT(body, Not(HasSubstr("degraded_streams_percent")));
    EXPECT_EQ(parsed(body).numbers.at("system_new"), 2);
}

TEST(Settings, BadOnesAreRefusedWithTheReason) {
    const struct {
        Setting setting;
        const char* error;
    } rows[] = {
        {{"delay_ms", "soon"}, "delay_ms: 'soon' is not a number from 0 to 3600000"},
        {{"delay_ms", ""}, "delay_ms: '' is not a number"},
        {{"delay_ms", "-1"}, "is not a number from"},
        {{"delay_ms", "1s"}, "is not a number from"},
        {{"status", "99"}, "status: '99' is not a number from 200 to 599"},
        {{"status", "600"}, "is not a number from"},
        {{"garbage", "2"}, "is not a number from 0 to 1"},
        {{"truncate", "-1"}, "is not a number from"},
        {{"streams", "1000001"}, "is not a number from 0 to 1000000"},
        {{"size_mb", "1025"}, "is not a number from 0 to 1024"},
        {{"media_mbps", "nan"}, "is not a number from"},
        {{"delayms", "1"}, "delayms: neither a fault nor on the page"},
        {{"streams_a=b", "1"}, "neither a fault nor on the page"},
        {{"", "1"}, "neither a fault nor on the page"},
        {{"streams_hls", "1\nx=2"}, "control characters"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.setting.first + '=' + row.setting.second);
        const auto changed = with_settings(Simulation{}, {&row.setting, 1});
        ASSERT_FALSE(changed);
        EXPECT_THAT(changed.error().what, HasSubstr(row.error));
    }
}

}  // namespace
}  // namespace wcs_node_agent::sim
