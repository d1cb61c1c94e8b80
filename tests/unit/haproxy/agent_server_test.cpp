// SPDX-License-Identifier: Apache-2.0
#include "haproxy/agent_server.hpp"

#include "unit/http/sample_snapshot.hpp"
#include "unit/net/loopback.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

class AgentServerTest : public testing::Test {
 protected:
    AgentServerTest() {
        const bool listening = loop_.run([this] {
            server_.allow(loopback_only());
            return server_.listen(std::vector{any_port_v4, any_port_v6}).has_value();
        });
        EXPECT_TRUE(listening);
    }
    ~AgentServerTest() override { loop_.stop(); }

    void publish(std::shared_ptr<const Snapshot> snapshot) {
        loop_.run([&] { snapshots_.publish(std::move(snapshot)); });
    }
    std::uint64_t checks(NodeState state) {
        return loop_.run(
            [&] { return server_.node().counters({}).checks[static_cast<std::size_t>(state)]; });
    }
    tcp::endpoint v4() {
        return loop_.run([this] { return server_.endpoints().at(0); });
    }
    tcp::endpoint v6() {
        return loop_.run([this] { return server_.endpoints().at(1); });
    }

    AgentCounters counters_;
    Loop loop_;
    AgentServer server_{loop_.executor(), counters_};
    CurrentAnswer& snapshots_ = server_.node().current();
};

}  // namespace

TEST_F(AgentServerTest, AnswersFromTheNewestSnapshotAndCounts) {
    publish(publishable(busy_node()));
    EXPECT_EQ(Client(v4()).read_all(), "up 25%\n");
    Snapshot full = busy_node();
    full.verdict.state = NodeState::down;
    full.verdict.reason = "hls 9 of 9";
    publish(publishable(full));
    EXPECT_EQ(Client(v6()).read_all(), "down # hls 9 of 9\n");
    EXPECT_EQ(checks(NodeState::up), 1U);
    EXPECT_EQ(checks(NodeState::down), 1U);
}

TEST_F(AgentServerTest, WaitsForTheFirstSnapshot) {
    Client early(v4());
    Client talkative(v6());
    talkative.send("who?\n");
    Client gone(v4());
    gone.finish();
    EXPECT_EQ(checks(NodeState::up), 0U);
    publish(publishable(busy_node()));
    EXPECT_EQ(early.read_all(), "up 25%\n");
    EXPECT_EQ(talkative.read_all(), "up 25%\n");
    EXPECT_EQ(talkative.end, asio::error::eof);
    EXPECT_EQ(gone.read_all(), "up 25%\n");
}

TEST_F(AgentServerTest, WhoWaitsAfterAllOthersWereCutOffIsAnswered) {
    Client goes(v4(), asio::ip::make_address("127.0.0.2"));
    loop_.run([] {});
    loop_.run([this] { server_.allow(only("127.0.0.1/32")); });
    EXPECT_EQ(goes.read_all(), "");
    Client stays(v4());
    for (int turns = 0; turns < 3; ++turns) loop_.run([] {});
    publish(publishable(busy_node()));
    EXPECT_EQ(stays.read_all(), "up 25%\n");
}

TEST_F(AgentServerTest, ClosesWaitingConnectionsWhenItStops) {
    Client early(v4());
    loop_.run([] {});  // accepted by now, or closed with the queue: no reply either way
    loop_.run([this] { server_.stop(); });
    EXPECT_EQ(early.read_all(), "");
}

// A server that closes at once resets the connection when more bytes come: the next send fails.
TEST_F(AgentServerTest, EndsOrderlyWhateverTheClientSends) {
    publish(publishable(busy_node()));
    {
        SCOPED_TRACE("before it reads, in one piece");
        Client client(v4());
        EXPECT_TRUE(client.send("state?\n"));
        EXPECT_EQ(client.read_all(), "up 25%\n");
        EXPECT_EQ(client.end, asio::error::eof);
    }
    {
        SCOPED_TRACE("more after the reply has come");
        Client client(v4());
        EXPECT_EQ(client.read_until("\n"), "up 25%\n");
        EXPECT_TRUE(client.send("thank "));
        EXPECT_TRUE(client.send("you\n"));
        EXPECT_EQ(client.read_all(), "");
        EXPECT_EQ(client.end, asio::error::eof);
    }
    {
        SCOPED_TRACE("after the end of the reply");
        Client client(v4());
        EXPECT_EQ(client.read_all(), "up 25%\n");
        EXPECT_TRUE(client.send("good"));
        EXPECT_TRUE(client.send("bye\n"));
    }
    {
        SCOPED_TRACE("20,000 bytes");
        Client client(v4());
        EXPECT_TRUE(client.send(std::string(20'000, '?')));
        EXPECT_EQ(client.read_all(), "up 25%\n");
        EXPECT_EQ(client.end, asio::error::eof);
    }
}

TEST_F(AgentServerTest, ReadsNoMoreThanItsBound) {
    publish(publishable(busy_node()));
    Client client(v4());
    int sent = 0;  // pieces of 64 KiB
    while (sent < 1000 && client.send(std::string(64 * 1024, '?'))) ++sent;
    EXPECT_LT(sent, 1000);
    EXPECT_EQ(Client(v4()).read_all(), "up 25%\n");
}

TEST_F(AgentServerTest, OutlivesClientsThatSendAndNeverRead) {
    publish(publishable(busy_node()));
    for (int i = 0; i < 300; ++i) Client(v4()).send("x");
    EXPECT_EQ(Client(v4()).read_all(), "up 25%\n");
}

TEST_F(AgentServerTest, OfTooManyThatWaitTheOldestIsEvicted) {
    std::vector<std::unique_ptr<Client>> waiting;
    for (std::size_t i = 0; i <= AgentServer::most_open.per_source; ++i)
        waiting.push_back(std::make_unique<Client>(v4()));
    EXPECT_EQ(waiting.front()->read_all(), "");
    Client other(v4(), asio::ip::make_address("127.0.0.2"));
    publish(publishable(busy_node()));
    EXPECT_EQ(waiting.at(1)->read_all(), "up 25%\n");
    EXPECT_EQ(other.read_all(), "up 25%\n");
}

TEST_F(AgentServerTest, CutsOffThoseThatWaitAndAreNotAllowedAnyMore) {
    Client stays(v4());
    Client goes(v4(), asio::ip::make_address("127.0.0.2"));
    loop_.run([] {});
    loop_.run([this] { server_.allow(only("127.0.0.1/32")); });
    EXPECT_EQ(goes.read_all(), "");
    publish(publishable(busy_node()));
    EXPECT_EQ(stays.read_all(), "up 25%\n");
}

// As after the process was stopped: what was true before is not told, and the sampler is about to
// run.
TEST_F(AgentServerTest, WaitsForANewSnapshotWhereTheLastIsNotCurrent) {
    loop_.run([this] { snapshots_.set_valid_for(std::chrono::nanoseconds(1)); });
    publish(publishable(busy_node()));
    Client early(v4());
    loop_.run([] {});
    EXPECT_EQ(checks(NodeState::up), 0U);
    loop_.run([this] { snapshots_.set_valid_for(std::chrono::hours(1)); });
    Snapshot full = busy_node();
    full.verdict.state = NodeState::down;
    full.verdict.reason = "hls 9 of 9";
    publish(publishable(full));
    EXPECT_EQ(early.read_all(), "down # hls 9 of 9\n");
    EXPECT_EQ(Client(v4()).read_all(), "down # hls 9 of 9\n");
}

}  // namespace wcs_node_agent::test
