// SPDX-License-Identifier: Apache-2.0
#include "http/http_server.hpp"

#include "unit/http/sample_snapshot.hpp"
#include "unit/net/loopback.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class HttpServerTest : public testing::Test {
 protected:
    HttpServerTest() {
        loop_.run([this] {
            server_.allow(loopback_only());
            snapshots_.publish(fresh_snapshot());
            server_.fresh_for(std::chrono::hours(1));  // also on a machine that is busy
        });
        const bool listening = loop_.run([this] {
            return server_.listen(std::vector{any_port_v4, any_port_v6}).has_value();
        });
        EXPECT_TRUE(listening);
    }
    ~HttpServerTest() override { loop_.stop(); }

    tcp::endpoint endpoint(std::size_t i = 0) {
        return loop_.run([&] { return server_.endpoints().at(i); });
    }
    std::uint64_t rejected() {
        return loop_.run([this] { return counters_.rejected_connections; });
    }

    std::uint64_t evicted() {
        return loop_.run([this] { return counters_.displaced_connections; });
    }

    AgentCounters counters_;
    Loop loop_;
    CurrentSnapshot snapshots_{loop_.executor()};
    History history_;
    HttpServer server_{loop_.executor(), snapshots_, history_, counters_};
};

std::string get(const std::string& target, const std::string& more = "") {
    return "GET " + target + " HTTP/1.1\r\nHost: node\r\n" + more + "\r\n";
}
const std::string last = "Connection: close\r\n";

}  // namespace

TEST_F(HttpServerTest, ServesOverBothFamilies) {
    for (const std::size_t i : {0U, 1U}) {
        Client client(endpoint(i));
        client.send(get("/status", last));
        const std::string reply = client.read_all();
        EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
        EXPECT_THAT(reply, EndsWith("}\n"));
        EXPECT_EQ(client.end, asio::error::eof);
    }
}

TEST_F(HttpServerTest, KeepsTheConnectionForTheNextRequest) {
    Client client(endpoint());
    for (int i = 0; i < 3; ++i) {
        client.send(get("/healthz"));
        EXPECT_THAT(client.read_until("ok\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
    }
}

TEST_F(HttpServerTest, EndsOrderlyAfterARefusalWithBytesUnread) {
    Client client(endpoint());
    client.send("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'x'));
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 431 "));
    EXPECT_EQ(client.end, asio::error::eof);
}

TEST_F(HttpServerTest, GivesStrangersNothing) {
    loop_.run([this] { server_.allow(only("127.0.0.1/32")); });
    Client stranger(endpoint(), asio::ip::make_address("127.0.0.2"));
    EXPECT_EQ(stranger.read_all(), "");
    EXPECT_EQ(rejected(), 1U);
}

TEST_F(HttpServerTest, TheOldestIdleSessionOfASourceIsEvicted) {
    std::vector<std::unique_ptr<Client>> clients;
    const auto connect = [&](const char* from) {
        clients.push_back(std::make_unique<Client>(endpoint(), asio::ip::make_address(from)));
        clients.back()->send(get("/healthz"));
        ASSERT_THAT(clients.back()->read_until("ok\n"), EndsWith("ok\n"));
    };
    connect("127.0.0.2");
    for (std::size_t i = 0; i <= HttpServer::most_open.per_source; ++i) connect("127.0.0.3");
    EXPECT_EQ(clients.at(1)->read_all(), "") << "the oldest of the source that has too many";
    EXPECT_EQ(clients.at(1)->end, asio::error::eof);
    EXPECT_EQ(evicted(), 1U);
    for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
        clients.at(i)->send(get("/healthz", last));
        EXPECT_THAT(clients.at(i)->read_all(), EndsWith("ok\n"));
    }
}

TEST_F(HttpServerTest, CutsOffWhoIsNotAllowedAnyMore) {
    Client stays(endpoint());
    Client goes(endpoint(), asio::ip::make_address("127.0.0.2"));
    for (auto* client : {&stays, &goes}) {
        client->send(get("/healthz"));
        client->read_until("ok\n");
    }
    loop_.run([this] { server_.allow(only("127.0.0.1/32")); });
    EXPECT_EQ(goes.read_all(), "");
    EXPECT_EQ(goes.end, asio::error::eof);
    stays.send(get("/healthz", last));
    EXPECT_THAT(stays.read_all(), EndsWith("ok\n"));
}

TEST_F(HttpServerTest, EndsIdleSessionsWhenItStops) {
    Client idle(endpoint());
    idle.send(get("/healthz"));
    idle.read_until("ok\n");
    loop_.run([this] { server_.stop(); });
    EXPECT_EQ(idle.read_all(), "");
    EXPECT_EQ(idle.end, asio::error::eof);
}

TEST_F(HttpServerTest, AnswersWhoHasConnectedBeforeItFinishes) {
    Client idle(endpoint()), asking(endpoint()), second(endpoint());
    idle.send(get("/healthz"));
    idle.read_until("ok\n");
    second.send(get("/healthz", last));
    second.read_all();
    const std::string request = get("/healthz");
    asking.send(request.substr(0, 10));  // its session has begun, as that of the second one is over
    auto finished = asio::co_spawn(loop_.executor(), server_.finish(), asio::use_future);
    EXPECT_EQ(idle.read_all(), "");
    EXPECT_EQ(idle.end, asio::error::eof);
    asking.send(request.substr(10));
    const std::string reply = asking.read_all();
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(reply, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(reply, EndsWith("ok\n"));
    finished.get();
}

TEST_F(HttpServerTest, WaitsForNobodyWhoAsksNothing) {
    Client silent(endpoint());
    Client(endpoint()).send(get("/healthz", last));
    asio::co_spawn(loop_.executor(), server_.finish(), asio::use_future).get();
    EXPECT_EQ(silent.read_all(), "");
}

}  // namespace wcs_node_agent::test
