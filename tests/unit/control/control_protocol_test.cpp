// SPDX-License-Identifier: Apache-2.0
#include "control/control_protocol.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent::test {
namespace {

using namespace std::chrono_literals;

const Clock::time_point now(1000s);

TEST(ControlProtocol, ARequestIsAWordAndNothingElse) {
    for (const Word word : all_words) EXPECT_EQ(word_in(to_string(word)), word);
    for (const char* text : {"", "drain ", " drain", "DRAIN", "drained", "look", "drain\r"})
        EXPECT_EQ(word_in(text), std::nullopt) << text;
}

TEST(ControlProtocol, AReplyIsOneLineThatIsReadBack) {
    ControlReply reply;
    reply.word = {Word::drain, "root", std::chrono::system_clock::time_point(1'700'000'000s)};
    reply.changed = true;
    reply.not_kept = "file cannot be written:\nno space";
    reply.sessions = {.count = 12, .page_age = 0.5};
    reply.silent = 1;
    reply.awaiting_ready = 2;
    const auto line = to_line(reply);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(read_reply(line), reply);
    reply.sessions = {.unknown = "wcs: Connection refused"};
    reply.error = "no";
    EXPECT_EQ(read_reply(to_line(reply)), reply);
}

TEST(ControlProtocol, WhatIsNoReplyIsNone) {
    for (const char* text : {"", "up 75%\n", "{}", "[]", "null", R"({"word": "drain"})",
                             R"({"word": "drain", "by": "root", "since": 5})",
                             R"({"word": 1, "by": "root", "since": 5})"})
        EXPECT_EQ(read_reply(text), std::nullopt) << text;
}

struct Row {
    const char* shows;
    WcsState wcs;
    SessionsLeft left;
};

WcsState known() {
    WcsState wcs;
    wcs.asked = true;
    wcs.publishers = HeldCount{1, now - 1s};
    wcs.subscribers = HeldCount{20, now - 2s};
    wcs.hls = HeldCount{3, now - 1s};
    return wcs;
}

WcsState with(WcsState wcs, WcsFault fault, std::string text) {
    wcs.fault = fault;
    wcs.fault_text = std::move(text);
    return wcs;
}

WcsState without_hls() {
    auto wcs = known();
    wcs.hls.reset();
    wcs.fault = WcsFault::missing_name;
    wcs.counts.missing = "streams_hls";
    return wcs;
}

TEST(ControlProtocol, ANodeIsEmptyOnlyIfWcsSaysSo) {
    const std::vector<Row> rows{
        {"all of them, as old as the oldest", known(), {.count = 24, .page_age = 2}},
        {"nobody was asked yet", {}, {.unknown = "wcs: has not been asked yet"}},
        {"held counts are no evidence",
         with(known(), WcsFault::connect, "refused"),
         {.unknown = "wcs: refused"}},
        {"nor is what somebody else answers",
         with(known(), WcsFault::not_a_page, "no page"),
         {.unknown = "wcs: no page"}},
        {"a part is not the whole",
         without_hls(),
         {.unknown = "wcs: the page has no number streams_hls"}},
    };
    for (const auto& row : rows) {
        Snapshot snapshot;
        snapshot.wcs = row.wcs;
        EXPECT_EQ(sessions_left(&snapshot, now), row.left) << row.shows;
    }
    EXPECT_EQ(sessions_left(nullptr, now).count, std::nullopt);
}

}  // namespace
}  // namespace wcs_node_agent::test
