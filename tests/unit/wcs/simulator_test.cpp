// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/simulator.hpp"

#include "unit/wcs/support.hpp"

#include <string>

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace wcs_node_agent::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class SimulatorOnLoopback : public testing::Test {
 protected:
    void start(sim::SimulatorOptions options = simulator_options()) {
        simulator_.emplace(io_.get_executor(), std::move(options));
        const auto started = simulator_->start();
        ASSERT_TRUE(started) << started.error().what;
    }

    Response page(std::string target, http::verb method = http::verb::get) {
        return get(io_, simulator_->page_endpoints().front(), std::move(target), method);
    }

    Response control(std::string target, http::verb method = http::verb::get) {
        return get(io_, simulator_->control_endpoint(), std::move(target), method);
    }

    nlohmann::json state() { return nlohmann::json::parse(control("/state").body()); }

    asio::io_context io_;
    std::optional<sim::Simulator> simulator_;
};

TEST_F(SimulatorOnLoopback, PageByTarget) {
    start();
    const struct {
        const char* shows;
        const char* target;
        unsigned status;
        const char* holds;
    } rows[] = {
        {"the page", "/?action=stat", 200, "-----Stream Stats-----\n"},
        {"unknown parameters", "/?x=1&action=stat&y", 200, "-----Stream Stats-----\n"},
        {"JSON", "/?action=stat&format=json", 200, "\"streams_stats\": {"},
        {"a group", "/?action=stat&groups=port_stats", 200, "-----Port Stats-----\n"},
        {"no action", "/", 404, "/?action=stat"},
        {"another action", "/?action=other", 404, "/?action=stat"},
        {"another path", "/other?action=stat", 404, "/?action=stat"},
        {"not a path", "*", 404, "/?action=stat"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto response = page(row.target);
        EXPECT_EQ(response.result_int(), row.status);
        EXPECT_THAT(response.body(), HasSubstr(row.holds));
    }
}

TEST_F(SimulatorOnLoopback, Methods) {
    start();
    const auto head = page("/?action=stat", http::verb::head);
    EXPECT_EQ(head.result_int(), 200U);
    EXPECT_NE(head[http::field::content_length], "0");
    EXPECT_THAT(head.body(), IsEmpty());
    for (const auto& response :
         {page("/?action=stat", http::verb::post), control("/state", http::verb::delete_)}) {
        EXPECT_EQ(response.result_int(), 405U);
        EXPECT_EQ(response[http::field::allow], "GET, HEAD");
    }
}

TEST_F(SimulatorOnLoopback, SetChangesThePageUntilReset) {
    auto options = simulator_options();
    options.initial =
        sim::with_settings({}, std::vector<sim::Setting>{{"streams_hls", "3"}}).value();
    start(options);
    EXPECT_THAT(page("/?action=stat").body(), HasSubstr("\nstreams_hls=3\n"));

    EXPECT_EQ(control("/set?streams_hls=8&streams_rtmp_in=2").result_int(), 200U);
    EXPECT_THAT(page("/?action=stat").body(), HasSubstr("\nstreams_hls=8\n"));
    EXPECT_EQ(state()["page"]["streams_rtmp_in"], "2");

    EXPECT_EQ(control("/reset").result_int(), 200U);
    EXPECT_THAT(page("/?action=stat").body(), HasSubstr("\nstreams_hls=3\n"));
    EXPECT_EQ(state()["page_requests"], 3);
}

TEST_F(SimulatorOnLoopback, SetIsAllOrNothing) {
    start();
    const auto response = control("/set?streams_hls=8&delay_ms=never");
    EXPECT_EQ(response.result_int(), 400U);
    EXPECT_THAT(response.body(), StartsWith("delay_ms: 'never' is not a number"));
    EXPECT_EQ(state()["page"]["streams_hls"], "0");
}

TEST_F(SimulatorOnLoopback, ControlRefusesWhatItDoesNotKnow) {
    start();
    EXPECT_EQ(control("/set?nonsense=1").result_int(), 400U);
    EXPECT_EQ(control("/set?streams_hls=%zz").result_int(), 400U);
    EXPECT_EQ(control("/set?media_mbps=1").result_int(), 400U) << "there is no --media-send";
    EXPECT_EQ(control("/nonsense").result_int(), 404U);
}

TEST_F(SimulatorOnLoopback, NotHttpIsAnswered400) {
    start();
    EXPECT_THAT(answer_to(io_, simulator_->control_endpoint(), "rubbish\r\n\r\n"),
                StartsWith("HTTP/1.1 400 "));
}

TEST_F(SimulatorOnLoopback, StatusAndItsLocation) {
    start();
    control("/set?status=500");
    EXPECT_EQ(page("/?action=stat").result_int(), 500U);
    control("/set?status=302");
    EXPECT_EQ(page("/?action=stat")[http::field::location], "/elsewhere");
    control("/set?status=0");
    EXPECT_EQ(page("/?action=stat").result_int(), 200U);
}

TEST_F(SimulatorOnLoopback, TruncatedPageHasTheFullLength) {
    start();
    const auto whole = page("/?action=stat").body().size();
    control("/set?truncate=10");
    const auto answer =
        answer_to(io_, simulator_->page_endpoints().front(), "GET /?action=stat HTTP/1.1\r\n\r\n");
    EXPECT_THAT(answer, HasSubstr("Content-Length: " + std::to_string(whole) + "\r\n"));
    const auto body = answer.find("\r\n\r\n") + 4;
    EXPECT_EQ(answer.size() - body, 10U);
}

TEST_F(SimulatorOnLoopback, RefusesAndComesBackOnTheSamePort) {
    auto options = simulator_options();
    options.page.push_back(any_port());
    start(options);
    const auto endpoints = simulator_->page_endpoints();
    control("/set?refuse=1");
    for (const auto& endpoint : endpoints) {
        EXPECT_THROW(get(io_, endpoint, "/?action=stat"), boost::system::system_error);
    }
    EXPECT_EQ(state()["faults"]["refuse"], 1);
    control("/set?refuse=0");
    for (const auto& endpoint : endpoints) {
        EXPECT_EQ(get(io_, endpoint, "/?action=stat").result_int(), 200U);
    }
}

TEST_F(SimulatorOnLoopback, ControlAnswersWhileThePageHangs) {
    start();
    control("/set?hang=1");
    bool answered = false;
    Response hanging;
    asio::co_spawn(io_,
                   exchange(simulator_->page_endpoints().front(), http::verb::get, "/", hanging),
                   [&](const std::exception_ptr&) { answered = true; });
    EXPECT_EQ(state()["faults"]["hang"], 1);
    EXPECT_TRUE(run_until(io_, [&] { return state()["page_requests"] == 1; }));
    EXPECT_FALSE(answered);
}

TEST_F(SimulatorOnLoopback, PortInUseIsNamed) {
    start();
    auto options = simulator_options();
    options.page = simulator_->page_endpoints();
    sim::Simulator second(io_.get_executor(), options);
    const auto started = second.start();
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().what,
                HasSubstr("127.0.0.1:" + std::to_string(options.page.front().port())));
}

TEST_F(SimulatorOnLoopback, MediaArrivesAtTheSetRate) {
    auto receiving = simulator_options();
    receiving.media_receive = asio::ip::udp::endpoint(asio::ip::address_v4::loopback(), 0);
    start(receiving);
    auto sending = simulator_options();
    sending.media_send = simulator_->media_receive_endpoint();
    sending.media_bytes = 500;
    sim::Simulator sender(io_.get_executor(), sending);
    ASSERT_TRUE(sender.start());
    const auto totals = [](const sim::Simulator& of) { return nlohmann::json::parse(of.state()); };

    io_.run_for(50ms);
    EXPECT_EQ(totals(sender)["media_sent_bytes"], 0) << "no rate is set";

    const sim::Setting rate{"media_mbps", "8"};  // a million bytes a second
    ASSERT_TRUE(sender.set({&rate, 1}));
    const auto begun = Clock::now();
    EXPECT_TRUE(run_until(io_, [&] { return totals(sender)["media_sent_bytes"] >= 300'000; }));
    const auto took = Seconds(Clock::now() - begun).count();
    EXPECT_GE(took, 0.29) << "faster than the rate";

    const sim::Setting stop{"media_mbps", "0"};
    ASSERT_TRUE(sender.set({&stop, 1}));
    const auto sent = totals(sender);
    EXPECT_EQ(sent["media_sent_bytes"], sent["media_sent_packets"].get<int>() * 500);
    EXPECT_TRUE(run_until(io_, [&] {
        return totals(*simulator_)["media_received_bytes"] == sent["media_sent_bytes"];
    }));
    EXPECT_EQ(totals(*simulator_)["media_received_packets"], sent["media_sent_packets"]);
    io_.run_for(50ms);
    EXPECT_EQ(totals(sender)["media_sent_bytes"], sent["media_sent_bytes"]) << "stopped";
}

}  // namespace
}  // namespace wcs_node_agent::test
