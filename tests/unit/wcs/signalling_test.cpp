// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/signalling.hpp"

#include "wcs-sim/live_page.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace wcs_node_agent::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

const std::string sdp =
    "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n"
    "a=fingerprint:sha-256 01\r\n";

class SignallingTest : public testing::Test {
 protected:
    using Client = sim::Signalling::Client;

    /// A client whose session is established unless `quiet`.
    Client connect(bool quiet = false) {
        const auto number = heard_.size();
        auto& heard = heard_.emplace_back();
        const auto client = signalling_.connect(
            "/10.0.0.1:" + std::to_string(1000 + number),
            [&heard](const std::string& text) { heard.push_back(json::parse(text)); });
        clients_[client] = &heard;
        if (!quiet) {
            say(client, "connection", {{"appKey", "defaultApp"}});
            heard.clear();
        }
        return client;
    }

    void say(Client client, const char* message, const json& data) {
        const auto done = signalling_.receive(
            client, json{{"message", message}, {"data", json::array({data})}}.dump());
        EXPECT_TRUE(done) << done.error().what;
    }

    /// Each message that it got since it was asked, by name; of a stream's status what it says.
    std::vector<std::string> heard(Client client) {
        std::vector<std::string> messages;
        for (const auto& message : *clients_[client]) {
            std::string text = message["message"];
            const auto& data = message["data"][0];
            if (text == "notifyStreamStatusEvent") {
                text = data["mediaSessionId"].get<std::string>() + ' ' +
                       data["status"].get<std::string>();
            }
            const auto info = data.is_object() ? data.value("info", std::string()) : "";
            if (!info.empty()) {
                text += ": " + info;
            }
            messages.push_back(text);
        }
        clients_[client]->clear();
        return messages;
    }

    void publish(Client client, const char* id, const std::string& name) {
        say(client, "publishStream", {{"mediaSessionId", id}, {"name", name}, {"sdp", sdp}});
    }

    void play(Client client, const char* id, const std::string& name) {
        say(client, "playStream", {{"mediaSessionId", id}, {"name", name}, {"sdp", sdp}});
    }

    sim::Signalling signalling_;
    std::deque<std::vector<json>> heard_;
    std::map<Client, std::vector<json>*> clients_;
};

TEST_F(SignallingTest, ASessionIsEstablishedByWhatItSent) {
    const auto client = connect(true);
    say(client, "connection", {{"appKey", "defaultApp"}, {"custom", {{"x", 1}}}});
    ASSERT_EQ(heard_[0].size(), 1U);
    EXPECT_EQ(heard_[0][0]["message"], "getUserData");
    EXPECT_EQ(heard_[0][0]["data"][0]["custom"]["x"], 1);
    EXPECT_EQ(heard_[0][0]["data"][0]["authToken"], "/10.0.0.1:1000");
}

TEST_F(SignallingTest, BeforeItNothingIsDone) {
    const auto client = connect(true);
    publish(client, "a", "test");
    EXPECT_THAT(heard(client), ElementsAre("fail: Session not ready: send connection first"));
    EXPECT_EQ(signalling_.counts().published, 0U);
}

TEST_F(SignallingTest, PublishAndStop) {
    const auto client = connect();
    publish(client, "a", "test");
    EXPECT_EQ(heard_[0][0]["data"][0], "a") << "whose SDP it is";
    EXPECT_THAT(heard_[0][0]["data"][1], HasSubstr("a=recvonly"));
    EXPECT_THAT(heard(client), ElementsAre("setRemoteSDP", "a PUBLISHING"));
    EXPECT_THAT(signalling_.counts().viewers, ElementsAre(Pair("test", 0)));
    say(client, "unPublishStream", {{"mediaSessionId", "a"}});
    EXPECT_THAT(heard(client), ElementsAre("a UNPUBLISHED: Stopped by user"));
    EXPECT_THAT(signalling_.counts().viewers, IsEmpty());
}

TEST_F(SignallingTest, PlayersStopWithTheirPublisher) {
    const struct {
        const char* shows;
        bool leaves;
    } rows[] = {{"it unpublishes", false}, {"it goes", true}};
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto publisher = connect();
        const auto player = connect();
        publish(publisher, "a", "test");
        play(player, "b", "test");
        EXPECT_THAT(heard(player), ElementsAre("setRemoteSDP", "b PLAYING"));
        EXPECT_THAT(signalling_.counts().viewers, ElementsAre(Pair("test", 1)));
        if (row.leaves) {
            signalling_.disconnect(publisher);
        } else {
            say(publisher, "unPublishStream", {{"mediaSessionId", "a"}});
        }
        EXPECT_THAT(heard(player), ElementsAre("b STOPPED: Stopped by publisher stop"));
        EXPECT_EQ(signalling_.counts().played, 0U);
        EXPECT_EQ(signalling_.counts().published, 0U);
    }
}

TEST_F(SignallingTest, APlayerGetsTheBitrateThatItAsksFor) {
    signalling_.provide("live");
    const auto client = connect();
    const auto ask = [&](const char* id, const json& bitrate, const json& custom) {
        say(client, "playStream",
            {{"mediaSessionId", id},
             {"name", "live"},
             {"sdp", sdp},
             {"bitrate", bitrate},
             {"custom", custom}});
    };
    EXPECT_EQ(signalling_.media_mbps(Clock::now()), 0);
    const auto before = Clock::now();
    ask("a", 500, {{"rampMs", 4000}});
    const auto after = Clock::now();
    EXPECT_THAT(heard(client), ElementsAre("setRemoteSDP", "a PLAYING"));
    EXPECT_GE(signalling_.media_mbps(before + 2s), 0.25 - 0.125 * Seconds(after - before).count());
    EXPECT_LE(signalling_.media_mbps(before + 2s), 0.25);
    EXPECT_EQ(signalling_.media_mbps(after + 4s), 0.5);
    ask("b", 250, nullptr);
    EXPECT_EQ(signalling_.media_mbps(after + 4s), 0.75);
    ask("c", "much", "soon");
    ask("d", -1, {{"rampMs", -1}});
    EXPECT_EQ(signalling_.media_mbps(after + 4s), 0.75) << "what is no number is nothing";
    ask("e", 1e12, {{"rampMs", 0}});
    EXPECT_EQ(signalling_.media_mbps(after + 4s), 100.75) << "the most that one gets";
    say(client, "stopStream", {{"mediaSessionId", "e"}});
    EXPECT_EQ(signalling_.media_mbps(after + 4s), 0.75);
    signalling_.disconnect(client);
    EXPECT_EQ(signalling_.media_mbps(after + 4s), 0);
}

TEST_F(SignallingTest, AStreamThatIsProvidedIsThereForGood) {
    signalling_.provide("live");
    const auto client = connect();
    say(client, "availableStream", {{"mediaSessionId", "q"}, {"name", "live"}});
    EXPECT_EQ(heard_[0].back()["data"][0]["status"], "true");
    play(client, "a", "live");
    publish(client, "b", "live");
    EXPECT_EQ(signalling_.counts().played, 1U);
    EXPECT_EQ(signalling_.counts().published, 0U) << "no client publishes it";
    EXPECT_EQ(heard(client).back(), "b FAILED: Stream name is already in use");
}

TEST_F(SignallingTest, StreamsThatCannotStartFailWithAReason) {
    const auto first = connect();
    const auto second = connect();
    publish(first, "a", "test");
    heard(first);
    const struct {
        const char* shows;
        const char* message;
        json data;
        const char* why;
    } rows[] = {
        {"the name is taken",
         "publishStream",
         {{"mediaSessionId", "x"}, {"name", "test"}, {"sdp", sdp}},
         "x FAILED: Stream name is already in use"},
        {"nobody publishes it",
         "playStream",
         {{"mediaSessionId", "x"}, {"name", "other"}, {"sdp", sdp}},
         "x FAILED: Session does not exist"},
        {"no media in the SDP",
         "publishStream",
         {{"mediaSessionId", "x"}, {"name", "new"}, {"sdp", "v=0\r\n"}},
         "x FAILED: Failed to add stream to proxy: the SDP has no media section"},
        {"no SDP", "publishStream", {{"mediaSessionId", "x"}, {"name", "new"}}, "not SDP"},
        {"no name", "publishStream", {{"mediaSessionId", "x"}, {"sdp", sdp}}, "name has 1 to 200"},
        {"a name of lines",
         "publishStream",
         {{"mediaSessionId", "x"}, {"name", "a\nb"}, {"sdp", sdp}},
         "name has 1 to 200"},
        {"a long name",
         "publishStream",
         {{"mediaSessionId", "x"}, {"name", std::string(201, 'n')}, {"sdp", sdp}},
         "name has 1 to 200"},
        {"no identifier", "publishStream", {{"name", "new"}, {"sdp", sdp}}, "mediaSessionId"},
        {"a number for a text",
         "publishStream",
         {{"mediaSessionId", 1}, {"name", 2}},
         "mediaSessionId"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        say(second, row.message, row.data);
        EXPECT_THAT(heard(second), ElementsAre(HasSubstr(row.why)));
    }
    EXPECT_THAT(signalling_.counts().viewers, ElementsAre(Pair("test", 0)));
    publish(first, "a", "again");
    EXPECT_THAT(heard(first), ElementsAre(HasSubstr("in use")));
}

TEST_F(SignallingTest, ASessionHasSoManyStreams) {
    const auto client = connect();
    for (int stream = 0; stream < 33; ++stream) {
        const auto name = std::to_string(stream);
        publish(client, name.c_str(), name);
    }
    EXPECT_EQ(signalling_.counts().published, 32U);
    EXPECT_THAT(heard(client).back(), HasSubstr("32 streams at most"));
}

TEST_F(SignallingTest, AvailabilityAndEvents) {
    const auto publisher = connect();
    const auto player = connect();
    publish(publisher, "a", "test");
    play(player, "b", "test");
    heard(player);
    say(player, "availableStream", {{"mediaSessionId", "c"}, {"name", "test"}});
    say(player, "availableStream", {{"mediaSessionId", "c"}, {"name", "other"}});
    EXPECT_EQ(heard_[1][0]["data"][0]["status"], "true");
    EXPECT_EQ(heard_[1][1]["data"][0]["status"], "false");
    heard(player);
    say(publisher, "sendStreamEvent",
        {{"mediaSessionId", "a"}, {"type", "data"}, {"payload", {{"count", 23}}}});
    ASSERT_EQ(heard_[1].size(), 1U);
    EXPECT_EQ(heard_[1][0]["message"], "notifyStreamEvent");
    EXPECT_EQ(heard_[1][0]["data"][0]["mediaSessionId"], "b");
    EXPECT_EQ(heard_[1][0]["data"][0]["payload"]["count"], 23);
}

TEST_F(SignallingTest, WhatItDoesNotDoFails) {
    const auto client = connect();
    say(client, "snapshot", {{"name", "test"}});
    EXPECT_THAT(heard(client), ElementsAre("fail: wcs-sim does not do snapshot"));
    say(client, "stopStream", {{"mediaSessionId", "nobody"}});
    EXPECT_THAT(heard(client), ElementsAre("fail: no stream with this mediaSessionId"));
    say(client, "pong", nullptr);
    say(client, "pushLogs", {{"logs", "x"}});
    EXPECT_THAT(heard(client), IsEmpty());
    signalling_.ping(client);
    EXPECT_THAT(heard(client), ElementsAre("ping"));
}

TEST_F(SignallingTest, WhatIsNoMessageEndsTheConnection) {
    const auto client = connect();
    for (const std::string& text :
         {std::string(), std::string("hello"), std::string("[]"), std::string("{}"),
          std::string(R"({"message":1})"), std::string("{\"message\":\"\xff\"}"),
          R"({"message":"connection","data":[{"x":)" + std::string(100'000, '[') +
              std::string(100'000, ']') + "}]}"}) {
        SCOPED_TRACE(text.substr(0, 50));
        EXPECT_FALSE(signalling_.receive(client, text));
    }
    EXPECT_THAT(heard(client), IsEmpty());
}

TEST(LivePage, ClientsAreAddedToWhatWasSet) {
    auto set = sim::with_settings({}, std::vector<sim::Setting>{{"streams_webrtc_in", "40"},
                                                                {"streams_webrtc_out", "NaN"},
                                                                {"connections", ""}})
                   .value();
    sim::Simulation page;
    page.sections = sim::with_clients(
        set.sections,
        {.sessions = 3, .published = 2, .played = 5, .viewers = {{"a", 1}, {"b/c", 4}}});
    const auto text = sim::page_body(page, sim::PageFormat::text, "");
    for (const auto* line :
         {"\nconnections_websocket=3\n", "\nstreams_webrtc_in=42\n", "\nstreams_webrtc_out=NaN\n",
          "\nstreams_viewers=a/1;b/c/4\n", "\nports_media_busy=7\n", "\nports_media_free=493\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
    EXPECT_THAT(text, testing::Not(HasSubstr("connections="))) << "taken off the page";
}

TEST(LivePage, MoreStreamsThanPortsLeaveNone) {
    sim::Simulation page;
    page.sections = sim::with_clients(
        sim::idle_sections(), {.sessions = 1, .published = 501, .played = 0, .viewers = {}});
    EXPECT_THAT(sim::page_body(page, sim::PageFormat::text, ""),
                HasSubstr("\nports_media_free=0\n"));
}

TEST(LivePage, WithoutClientsItIsWhatWasSet) {
    sim::Simulation page;
    page.sections = sim::with_clients(sim::idle_sections(), {});
    EXPECT_EQ(sim::page_body(page, sim::PageFormat::text, ""),
              sim::page_body(sim::Simulation{}, sim::PageFormat::text, ""));
}

}  // namespace
}  // namespace wcs_node_agent::test
