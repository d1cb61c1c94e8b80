// SPDX-License-Identifier: Apache-2.0
#include "cli/top/fitting.hpp"
#include "cli/top/view.hpp"
#include "http/status_json.hpp"
#include "unit/http/reading.hpp"

#include <wcs_node_agent/snapshot.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
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

constexpr std::string_view fault =
    "http://127.0.0.1:8081/?action=stat&format=json: HTTP 503 Service Unavailable, which is not "
    "the page of statistics: does the server still start?";

/// Each text as long as it gets: a big node that comes back, whose weight is made of everything.
Json busy_node(unsigned second) {
    Snapshot node;
    node.at = Clock::time_point(100s + std::chrono::seconds(second));
    node.started = Clock::time_point(-1'000'000s);
    node.counters.cpus = {{.cpu = 0, .busy = second * 200ms}, {.cpu = 127, .busy = second * 950ms}};
    auto& interface = node.counters.interfaces.emplace_back();
    interface.name = "enp129s0f1np1.4";
    interface.traffic.transmit_bytes = second * 12'500'000'000ULL;
    interface.traffic.receive_bytes = second * 11'500'000'000ULL;
    node.selected_interfaces = {interface.name};
    node.wcs.asked = true;
    node.wcs.page_at = node.at;
    node.wcs.counts.publishers = {100, 20, 30};
    node.wcs.counts.subscribers = {10000, 2000, 3000};
    auto& weight = node.verdict.weight;
    weight.percent = 256;
    weight.policy = WeightPolicy::headroom;
    weight.raw = 54.4;
    weight.recent = 312.5;
    weight.added = 0.225;
    weight.trend = 1.05;
    weight.ramp = 0.875;
    weight.capacity = 15119.2;
    weight.reference = 15119.2;
    node.verdict.bottleneck = "subscribers";
    node.verdict.readings = {
        test::reading("cpu", 41.5, 90), test::reading("subscribers", 12000, 15000),
        test::reading("band_out", 95000.5, 100000), test::reading("udp_loss", 0.3, 1)};
    node.verdict.changed.emplace();
    node.verdict.changed->at = node.at;
    node.verdict.changed->reason =
        "no longer down: subscribers 15100 of 15000; up again below 12750";
    Json status = Json::parse(status_json(node));
    status["rates"]["peak_bits_in_per_second"] = 98'765'432'100.0;
    status["rates"]["peak_bits_out_per_second"] = 198'765'432'100.0;
    status["rates"]["peak_bucket_seconds"] = 0.01;
    status["rates"]["frames_in_per_second"] = 8'123'456.7;
    status["rates"]["frames_out_per_second"] = 16'123'456.7;
    return status;
}

/// The same while WCS does not answer, with a limit whose name is as long as one can be.
Json silent_node(unsigned second) {
    Json status = busy_node(second);
    status["state"] = "down";
    status["reply"] = fmt::format("down # wcs: {}", fault);
    status["last_change"]["reason"] = fmt::format("wcs: {}", fault);
    status["wcs"]["up"] = false;
    status["wcs"]["fault_text"] = fault;
    status["bottleneck"] = std::string(64, 'n');
    status["limits"][std::string(64, 'n')] = status["limits"]["cpu"];
    status["limits"]["publishers"] = {{"maximum", 100}, {"unknown", fmt::format("wcs: {}", fault)}};
    for (const auto* name : {"band_in", "band_out"}) {
        status["limits"][name] = status["limits"]["publishers"];
        status["limits"][name]["unknown"] =
            "enp129s0f1np1.4: is counted by another program, which took the place of the agent's";
    }
    status["agent"]["last_check"] = {{"source", "2001:db8:1234:5678:9abc:def0:1234:5678"},
                                     {"age_seconds", 0.2},
                                     {"reply", status["reply"]}};
    status["agent"]["last_refused"] = {{"source", "2001:db8:1234:5678:9abc:def0:1234:5678"},
                                       {"age_seconds", 100'000},
                                       {"port", "metrics"}};
    status["agent"]["checks"] = {{"up", 1'234'567}, {"drain", 12345}, {"down", 123}, {"maint", 9}};
    for (const auto* name : {"edge", "viewers-of-the-big-stage-channel"})
        status["profiles"][name] = {{"state", "down"}, {"reply", status["reply"]}};
    return status;
}

std::vector<std::string> lines_in(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

/// A node that was watched for a minute.
struct Watched {
    explicit Watched(Json (*status_at)(unsigned)) {
        for (unsigned second = 0; second <= 60; ++second) {
            status = status_at(second);
            history.add(status);
        }
    }

    std::string shown(const View& view) const { return plain_text(render(status, history, view)); }

    Json status;
    StatusHistory history;
};

View wide(std::size_t columns) {
    return {.columns = columns,
            .delay = 250ms,
            .address = "https://node-17.media.example.com:9708/agent"};
}

std::set<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    std::set<std::string> words;
    for (std::string word; stream >> word;)
        // Of parts that are separated: what follows may stand elsewhere, or not at all.
        words.insert(word.substr(0, word.find_last_not_of(",;") + 1));
    return words;
}

/// Words that are in none of the texts, which stand as they are in a line without an end.
std::vector<std::string> cut_words(const std::string& text, const std::string& whole) {
    const auto known = words_of(whole);
    std::vector<std::string> cut;
    for (const auto& word : words_of(text)) {
        const bool is_plot = word.starts_with("\xE2\x96");  // U+2580 to U+25BF
        if (!is_plot && !known.contains(word)) cut.push_back(word);
    }
    return cut;
}

TEST(TopWidths, NothingIsCut) {
    const Watched busy(busy_node), silent(silent_node);
    struct Row {
        const char* name;
        const Watched& node;
        View view;
    };
    const auto address = wide(80).address;
    for (const auto& [name, node, view] : {
             Row{"busy", busy, wide(80)},
             Row{"silent", silent, wide(80)},
             Row{"help", busy, {.help = true, .address = address}},
             Row{"paused", busy, {.paused = true, .address = address}},
             Row{"gone", busy, {.address = address, .fault = std::string(fault)}},
             Row{"all", silent, {.all_limits = true, .address = "127.0.0.1:9708"}},
         }) {
        View endless = view;
        endless.columns = 1000;
        // Spans of plots, reasons that a row has no room for, and a shorter wording.
        const auto whole = node.shown(endless) +
                           " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 60 66 72 78 84 90 96 102 108 114 "
                           "unknown band_in: frames/s";
        for (std::size_t columns = 80; columns <= 200; ++columns) {
            SCOPED_TRACE(fmt::format("{}, {} columns", name, columns));
            View narrow = view;
            narrow.columns = columns;
            const auto text = node.shown(narrow);
            EXPECT_THAT(cut_words(text, whole), testing::IsEmpty()) << text;
            for (const auto& line : lines_in(text)) EXPECT_LE(columns_of(line), columns) << line;
        }
    }
}

TEST(TopWidths, WhatIsLessImportantComesWithMoreRoom) {
    struct Row {
        std::size_t columns;
        std::string_view title, weight;
    };
    constexpr std::string_view address = "https://node-17.media.example.com:9708/agent";
    const Watched node(busy_node);
    for (const auto& [columns, title, weight] : {
             Row{80, "ADDRESS", "take 22.5 %\n"},
             Row{90, "ADDRESS  running 11 d 13 h", "by its trend\n"},
             Row{100, "wcs-node-agent 0.1.0  ADDRESS", "by its trend\n"},
             Row{120, "wcs-node-agent 0.1.0  ADDRESS  running 11 d 13 h", "so soon\n"},
             Row{200, "wcs-node-agent 0.1.0  ADDRESS  running 11 d 13 h", "sessions\n"},
         }) {
        SCOPED_TRACE(columns);
        auto text = node.shown(wide(columns));
        text.replace(text.find(address), address.size(), "ADDRESS");
        EXPECT_THAT(
            text,
            AllOf(testing::StartsWith(fmt::format("{}  ", title)),
                  ContainsRegex("every 250ms  ..:..:.. UTC\n"),
                  ContainsRegex(fmt::format("weight      headroom: 54.4 % free.* {}", weight)),
                  HasSubstr("peaks       in ")));
    }
}

TEST(TopWidths, ThePlotsEndWhereTheirHeadingEnds) {
    const Watched node(busy_node);
    for (std::size_t columns = 80; columns <= 200; ++columns) {
        const auto lines = lines_in(node.shown(wide(columns)));
        const auto heading =
            std::ranges::find_if(lines, [](const auto& line) { return line.starts_with("LIMIT"); });
        ASSERT_NE(heading, lines.end());
        EXPECT_THAT(*heading, ContainsRegex("last [0-9]+ (s|min)$"));
        EXPECT_EQ(columns_of(*heading), columns_of(*(heading + 1))) << columns << '\n' << *heading;
    }
}

TEST(TopWidths, AReasonIsSaidOnce) {
    const Watched node(silent_node);
    EXPECT_THAT(node.shown(wide(80)),
                AllOf(ContainsRegex("\nsince       [0-9]+ s\n"),
                      ContainsRegex("\npublishers +- of 100 +unknown\n"),
                      ContainsRegex("\nunknown     band_out, band_in: enp129s0f1np1.4: is "),
                      ContainsRegex("ago: down\n +told up 1234567")));
    EXPECT_THAT(
        node.shown(wide(200)),
        ContainsRegex("\nband_in +- of 100 +unknown: enp129s0f1np1.4: is [^\n]* agent's\n"));
}

}  // namespace
}  // namespace wcs_node_agent
