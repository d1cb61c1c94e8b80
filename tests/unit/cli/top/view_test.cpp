// SPDX-License-Identifier: Apache-2.0
#include "cli/top/view.hpp"

#include "http/status_json.hpp"
#include "unit/http/reading.hpp"

#include <wcs_node_agent/snapshot.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

/// Sample `second` of a node with CPUs and interfaces, the first of which are chosen.
Snapshot node(unsigned second, unsigned cpus = 2, unsigned interfaces = 2, unsigned chosen = 1) {
    Snapshot snapshot;
    snapshot.at = Clock::time_point(100s + std::chrono::seconds(second));
    snapshot.started = Clock::time_point(40s);
    for (unsigned i = 0; i < cpus; ++i)
        snapshot.counters.cpus.push_back({.cpu = i, .busy = second * (i == 1 ? 950ms : 200ms)});
    for (unsigned i = 0; i < interfaces; ++i) {
        auto& interface = snapshot.counters.interfaces.emplace_back();
        interface.index = i + 1;
        interface.name = fmt::format("eth{}", i);
        interface.traffic.transmit_bytes = std::uint64_t{second} * (i + 1) * 1'000'000;
        if (i < chosen) snapshot.selected_interfaces.push_back(interface.name);
    }
    snapshot.wcs.asked = true;
    snapshot.wcs.page_at = snapshot.at;
    snapshot.wcs.counts.subscribers = {25, 0, 3};
    snapshot.verdict.weight.percent = 37;
    snapshot.verdict.bottleneck = "band_out";
    snapshot.verdict.readings = {test::reading("cpu", 12.5, 90),
                                 test::reading("publishers", {}, 100), test::reading("hls", 4, {}),
                                 test::reading("band_out", 63, 100)};
    snapshot.verdict.readings[1].unknown = "wcs: no answer";
    return snapshot;
}

std::vector<std::string> lines_of(const Frame& frame) {
    std::istringstream text(plain_text(frame));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

std::string shown_after_a_minute(const View& view, unsigned cpus = 2, unsigned interfaces = 2,
                                 unsigned chosen = 1) {
    StatusHistory history;
    Json status;
    for (unsigned second = 0; second <= 60; ++second) {
        status = Json::parse(status_json(node(second, cpus, interfaces, chosen)));
        history.add(status);
    }
    return plain_text(render(status, history, view));
}

std::size_t characters(const std::string& utf8) {
    return static_cast<std::size_t>(
        std::ranges::count_if(utf8, [](char c) { return (c & 0xC0) != 0x80; }));
}

TEST(TopView, SaysWhatTheNodeIsAndWhy) {
    EXPECT_THAT(
        shown_after_a_minute({.address = "127.0.0.1:9708"}),
        AllOf(HasSubstr("127.0.0.1:9708  running 2 min"),
              HasSubstr("UP, weight 37 %   bottleneck band_out, 63 % used"),
              HasSubstr("reply       up 37%"), ContainsRegex("cpu +12.5 of 90 % +13.9 % "),
              ContainsRegex("band_out +63 of 100 Mbit/s +63 % "),
              ContainsRegex("publishers +- of 100 +unknown: wcs: no answer"),
              Not(HasSubstr("hls   ")), ContainsRegex("eth0 +0.0 +0.0 +0.0 +8.0 +8.0 +8.0\n"),
              Not(HasSubstr("eth1")), ContainsRegex("\n0 +20.0 +20.0 +20.0 +1 +95.0 +95.0 +95.0\n"),
              HasSubstr("publishers -  subscribers 28 (webrtc 25, rtsp 3)  hls -"),
              HasSubstr("nobody yet")));
}

TEST(TopView, ShowsWhatItsUserChose) {
    EXPECT_THAT(shown_after_a_minute({.all_limits = true}), ContainsRegex("hls +4 of off"));
    EXPECT_THAT(shown_after_a_minute({.all_interfaces = true}), ContainsRegex("eth0 .*\neth1 .*"));
    EXPECT_THAT(shown_after_a_minute({.order = InterfaceOrder::out, .all_interfaces = true}),
                ContainsRegex("OUT\\* .*\neth1 .*\neth0 .*"));
    EXPECT_THAT(shown_after_a_minute({.paused = true}), HasSubstr("paused"));
    EXPECT_THAT(shown_after_a_minute({.help = true}),
                AllOf(HasSubstr("p, space"), Not(HasSubstr("eth0"))));
    EXPECT_THAT(shown_after_a_minute({.fault = "connection refused"}),
                HasSubstr("\nconnection refused\n"));
}

TEST(TopView, FitsTheTerminal) {
    struct Row {
        std::size_t columns, rows;
        unsigned cpus, interfaces;
    };
    for (const auto& [columns, rows, cpus, interfaces] : {
             Row{80, 24, 2, 1},
             Row{80, 24, 128, 40},
             Row{132, 50, 128, 40},
             Row{80, 24, 1, 40},
             Row{80, 10, 4, 4},
             Row{60, 24, 4, 4},
             Row{80, 1, 1, 1},
         }) {
        SCOPED_TRACE(fmt::format("{}x{}, {} CPUs, {} interfaces", columns, rows, cpus, interfaces));
        const View view{.columns = columns, .rows = rows, .address = "10.0.0.1:9708"};
        StatusHistory history;
        Json status;
        for (const unsigned second : {0u, 60u}) {
            status = Json::parse(status_json(node(second, cpus, interfaces, interfaces)));
            history.add(status);
        }
        const auto lines = lines_of(render(status, history, view));
        EXPECT_THAT(lines, SizeIs(rows));
        EXPECT_THAT(lines.back(), HasSubstr("q quit"));
        for (const auto& line : lines)
            EXPECT_LE(characters(line), std::max<std::size_t>(80, columns)) << line;
    }
}

TEST(TopView, WhatHasNoRoomIsTheIdleOnes) {
    const auto text = shown_after_a_minute({.rows = 20}, 64, 8, 8);
    EXPECT_THAT(text,
                AllOf(HasSubstr("..."), ContainsRegex("60s\n1 +95.0"), HasSubstr("nobody yet")));
}

TEST(TopView, WithoutUtf8ThereIsAsciiAlone) {
    auto snapshot = node(1);
    snapshot.counters.interfaces[0].name = "é\xff\x1b[2Jx";
    snapshot.selected_interfaces = {snapshot.counters.interfaces[0].name};
    const auto status = Json::parse(status_json(snapshot));
    const auto ascii = plain_text(render(status, {}, {.utf8 = false}));
    EXPECT_TRUE(std::ranges::all_of(ascii, [](char c) {
        return c == '\n' || (c >= ' ' && c <= '~');
    })) << ascii;
    EXPECT_THAT(ascii, AllOf(HasSubstr("???[2Jx"), HasSubstr("#####...")));
    EXPECT_THAT(plain_text(render(status, {}, {})), AllOf(HasSubstr("é"), Not(HasSubstr("\x1b"))));
}

TEST(TopView, ProfilesHaveALineEach) {
    auto snapshot = node(1);
    auto& profile = snapshot.profiles.emplace_back();
    profile.name = "edge";
    profile.verdict = snapshot.verdict;
    profile.verdict.weight.percent = 80;
    profile.verdict.bottleneck = "cpu";
    EXPECT_THAT(plain_text(render(Json::parse(status_json(snapshot)), {}, {})),
                ContainsRegex("edge +up 80% +bottleneck cpu, 13.9 % used"));
}

TEST(TopView, WhatIsNotThereIsADash) {
    for (const auto* text :
         {R"({"state": "up"})",
          R"({"state": "starting", "limits": [], "cpus": [7], "interfaces": {}, "wcs": 1})"}) {
        SCOPED_TRACE(text);
        EXPECT_THAT(plain_text(render(Json::parse(text), {}, {})), HasSubstr("weight - %"));
    }
}

}  // namespace
}  // namespace wcs_node_agent
