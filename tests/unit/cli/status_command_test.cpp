// SPDX-License-Identifier: Apache-2.0
#include "cli/status_command.hpp"

#include "http/status_json.hpp"
#include "unit/http/reading.hpp"

#include <wcs_node_agent/snapshot.hpp>

#include <chrono>
#include <cstddef>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// A node at 63 % of band_out, with hls switched off and publishers unknown.
Snapshot busy_snapshot() {
    Snapshot snapshot;
    snapshot.at = Clock::time_point(100s);
    snapshot.started = Clock::time_point(40s);
    snapshot.source = Source::procfs;
    snapshot.source_detail = "no BTF";
    snapshot.counters.interfaces = {{.index = 2, .name = "eth0"}, {.index = 3, .name = "br0"}};
    snapshot.counters.cpus = {{.cpu = 0}, {.cpu = 1}};
    snapshot.selected_interfaces = {"eth0"};
    snapshot.rates = {{.bits_in = 12'340'000, .bits_out = 63e6, .cpu_utilisation = 0.125}};
    snapshot.wcs.asked = true;
    snapshot.wcs.fault = WcsFault::connect;
    snapshot.wcs.fault_text = "connection refused";
    snapshot.wcs.page_at = Clock::time_point(97s);
    snapshot.verdict.weight.percent = 37;
    snapshot.verdict.bottleneck = "band_out";
    snapshot.verdict.readings = {test::reading("cpu", 12.5, 90),
                                 test::reading("publishers", {}, 100), test::reading("hls", {}, {}),
                                 test::reading("band_out", 63, 100)};
    return snapshot;
}

TEST(StatusTable, NamesInterfacesThatTheirDevicesCount) {
    auto snapshot = busy_snapshot();
    snapshot.counters.interfaces.front().counted_by = CountedBy::device;
    EXPECT_THAT(status_table(Json::parse(status_json(snapshot))),
                HasSubstr("interfaces  eth0 (by its own counters)\n"));
}

TEST(StatusTable, ShowsEveryFigureBehindTheVerdict) {
    const std::string table = status_table(Json::parse(status_json(busy_snapshot())));
    EXPECT_THAT(table, HasSubstr("state       up, weight 37 %\n"));
    EXPECT_THAT(table, HasSubstr("reply       up 37%\n"));
    EXPECT_THAT(table, HasSubstr("source      procfs (no BTF)\n"));
    EXPECT_THAT(table, HasSubstr("interfaces  eth0\n"));
    EXPECT_THAT(table, HasSubstr("traffic     in 12.3 Mbit/s, out 63 Mbit/s\n"));
    EXPECT_THAT(table, HasSubstr("cpus        2, 12.5 % busy\n"));
    EXPECT_THAT(table, HasSubstr("does not answer: connection refused (last page 3 s old)\n"));
    EXPECT_THAT(table, HasSubstr("running for 60 s\n"));
    EXPECT_THAT(table, ContainsRegex("cpu +12.5  of 90 % +13.9 %  \\[###\\.+\\]\n"));
    EXPECT_THAT(table, ContainsRegex("publishers +-  of 100\n"));
    EXPECT_THAT(table, ContainsRegex("hls +-  of off\n"));
    EXPECT_THAT(
        table, ContainsRegex("band_out +63  of 100 Mbit/s +63 %  \\[#{13}\\.{7}\\]  bottleneck\n"));
}

TEST(StatusTable, SaysFromWhereOnTheNodeComesBack) {
    Snapshot snapshot = busy_snapshot();
    snapshot.verdict.state = NodeState::down;
    snapshot.verdict.cause = "band_out";
    snapshot.verdict.readings.back() = test::reading("band_out", 98, 100);
    snapshot.verdict.readings.back().up_again_below = 92.5;
    const std::string table = status_table(Json::parse(status_json(snapshot)));
    EXPECT_THAT(table, HasSubstr("]  bottleneck, up again below 92.5\n"));
}

TEST(StatusTable, SaysHowTheWeightCameAbout) {
    Snapshot snapshot = busy_snapshot();
    EXPECT_THAT(status_table(Json::parse(status_json(snapshot))),
                AllOf(HasSubstr("weight      headroom: 100 % free, capacity 0 of 0 sessions\n"),
                      Not(HasSubstr("since"))));
    snapshot.verdict.weight = {.raw = 42.25,
                               .recent = 5,
                               .added = 0.05,
                               .capacity = 120,
                               .reference = 100,
                               .trend = 1.125,
                               .ramp = 0.5,
                               .balancers = 2,
                               .maxconn = 60};
    snapshot.verdict.changed = {.at = snapshot.at - 8s, .wall = {}, .reason = "back"};
    const auto table = status_table(Json::parse(status_json(snapshot)));
    EXPECT_THAT(table,
                HasSubstr("weight      headroom: 42.3 % free, 5 new sessions take 5 %, times 1.13 "
                          "by its trend, at most 50 % so soon, capacity 120 of 100 sessions, at "
                          "most 60 connections for each "
                          "of 2 balancers\n"));
    EXPECT_THAT(table, HasSubstr("since       1970-01-01T00:00:00.000Z, 8 s ago: back\n"));
    snapshot.verdict.weight.policy = WeightPolicy::proportional;
    EXPECT_THAT(status_table(Json::parse(status_json(snapshot))),
                HasSubstr("weight      proportional: 42.3 % free\n"));
}

TEST(StatusTable, ShowsPeaksWhereTheyAreMeasured) {
    Snapshot snapshot = busy_snapshot();
    EXPECT_THAT(status_table(Json::parse(status_json(snapshot))), Not(HasSubstr("peaks")));
    snapshot.peaks = {.bits_in = 25e6,
                      .bits_out = 140e6,
                      .over_limit_in = 0,
                      .over_limit_out = 0.08,
                      .bucket = 8ms};
    EXPECT_THAT(status_table(Json::parse(status_json(snapshot))),
                HasSubstr("peaks       in 25 Mbit/s, out 140 Mbit/s (above the limit 8 % of the "
                          "time), over 8 ms within the last second\n"));
}

TEST(StatusTable, SaysWhichLimitsAreSoftAndHowLongTheirNamesAre) {
    Snapshot snapshot = busy_snapshot();
    auto own = test::reading("udp_loss", 2.3, 1);
    own.name = "a_limit_of_an_operator";
    own.unit = LimitUnit::number;
    snapshot.verdict.readings.push_back(test::reading("udp_loss", 2.3, 1));
    snapshot.verdict.readings.push_back(own);
    snapshot.rates.frames_in = 1234.5;
    snapshot.rates.cpu_max_utilisation = 0.99;
    const std::string table = status_table(Json::parse(status_json(snapshot)));
    EXPECT_THAT(table, HasSubstr("frames      in 1234.5 a second, out - a second\n"));
    EXPECT_THAT(table, HasSubstr("cpus        2, 12.5 % busy, the busiest one 99 %\n"));
    EXPECT_THAT(table, ContainsRegex("\nudp_loss {15} +2.3  of 1 % +230 %  \\[#{20}\\]  soft\n"));
    EXPECT_THAT(table, ContainsRegex("\na_limit_of_an_operator +2.3  of 1 +230 % .*  soft\n"));
}

TEST(StatusTable, SaysWhatIsUnknown) {
    Snapshot snapshot = busy_snapshot();
    named(snapshot.verdict.readings, "hls").unknown = "wcs: HTTP 500";
    EXPECT_THAT(status_table(Json::parse(status_json(snapshot))),
                ContainsRegex("hls +-  of \\?  *unknown: wcs: HTTP 500\n"));
}

TEST(StatusTable, WhatIsNotThereShowsAsADash) {
    for (const std::string_view json :
         {"{}", "[]", "null", R"({"state": null, "limits": null, "wcs": 3, "interfaces": "x"})",
          R"({"limits": {"cpu": null}, "interfaces": [null], "cpus": null})"}) {
        SCOPED_TRACE(json);
        EXPECT_THAT(status_table(Json::parse(json)), HasSubstr("state       -, weight - %\n"));
    }
}

TEST(StatusTable, OthersBytesCannotSteerTheTerminal) {
    Snapshot snapshot = busy_snapshot();
    snapshot.wcs.fault_text = "\x1b[2J";
    EXPECT_THAT(status_table(Json::parse(status_json(snapshot))), Not(HasSubstr("\x1b")));
}

/// Answers one request on a free port of loopback with the given bytes.
class OneAnswer {
 public:
    explicit OneAnswer(std::string answer)
        : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
          thread_([this, answer = std::move(answer)] {
              tcp::socket socket(context_);
              boost::system::error_code error;
              acceptor_.accept(socket, error);
              asio::read_until(socket, asio::dynamic_buffer(request_), "\r\n\r\n", error);
              asio::write(socket, asio::buffer(answer), error);
          }) {}
    OneAnswer(const OneAnswer&) = delete;
    OneAnswer& operator=(const OneAnswer&) = delete;
    ~OneAnswer() { thread_.join(); }

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
    asio::io_context context_;
    tcp::acceptor acceptor_;
    std::string request_;
    std::thread thread_;
};

std::string http(std::string_view status, std::string_view body) {
    return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                       body.size(), body);
}

/// Of a configuration whose agent listens on any address, as loopback is then asked.
AgentClient listening_at(std::uint16_t port) {
    Config config;
    config.metrics_listen = {{asio::ip::address_v4::any(), port}};
    return AgentClient(*agent_access(config, {}));
}

TEST(Status, PrintsTheTableOrTheJsonAsItCame) {
    const std::string json = status_json(busy_snapshot());
    for (const bool as_json : {false, true}) {
        const OneAnswer agent(http("200 OK", json));
        std::ostringstream out, err;
        EXPECT_EQ(show_status(listening_at(agent.port()), as_json, out, err), 0) << err.str();
        EXPECT_EQ(out.str(), as_json ? json : status_table(Json::parse(json)));
    }
}

TEST(Status, WithoutAnAgentItSaysWhereItAskedAndWhatToDo) {
    asio::io_context context;
    tcp::acceptor taken(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const std::uint16_t port = taken.local_endpoint().port();
    taken.close();
    std::ostringstream out, err;
    EXPECT_EQ(show_status(listening_at(port), false, out, err), 1);
    EXPECT_EQ(out.str(), "");
    EXPECT_THAT(err.str(), AllOf(HasSubstr(fmt::format("http://127.0.0.1:{}/status: ", port)),
                                 HasSubstr("connection refused"), HasSubstr("--metrics-listen")));
}

TEST(Status, BeforeTheFirstSampleItSaysToTryAgain) {
    const OneAnswer agent(http("503 Service Unavailable", "no sample yet\n"));
    std::ostringstream out, err;
    EXPECT_EQ(show_status(listening_at(agent.port()), false, out, err), 1);
    EXPECT_THAT(err.str(), AllOf(HasSubstr("503"), HasSubstr("try again")));
}

TEST(Status, AnotherServerIsNotTakenForTheAgent) {
    for (const std::string_view body : {"<html>", "{}", "[1]", ""}) {
        SCOPED_TRACE(body);
        const OneAnswer other(http("200 OK", body));
        std::ostringstream out, err;
        EXPECT_EQ(show_status(listening_at(other.port()), false, out, err), 1);
        EXPECT_THAT(err.str(), HasSubstr("is not wcs-node-agent"));
    }
}

}  // namespace
}  // namespace wcs_node_agent
