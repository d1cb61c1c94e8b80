// SPDX-License-Identifier: Apache-2.0
#include "http/handshake_queue.hpp"

#include <list>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::ElementsAre;

/// Connections whose turns are written down.
class HandshakeQueueTest : public testing::Test {
 protected:
    struct Client {
        explicit Client(asio::io_context& context) : far_end(context), stream(context) {}

        tcp::socket far_end;
        boost::beast::tcp_stream stream;
        boost::beast::flat_buffer received{4'096};
    };

    Client& wait(const std::string& name, const char* source) {
        Client& client = clients_.emplace_back(context_);
        client.far_end.connect(acceptor_.local_endpoint());
        acceptor_.accept(client.stream.socket());
        asio::co_spawn(
            context_,
            [this, &client, name, source]() -> asio::awaitable<void> {
                const bool turn = co_await queue_.wait(
                    client.stream, asio::ip::make_address(source), client.received);
                turns_.push_back(name + (turn ? "" : " has gone"));
            },
            asio::detached);
        return client;
    }

    asio::io_context context_;
    tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
    HandshakeQueue queue_{context_.get_executor()};
    std::list<Client> clients_;
    std::vector<std::string> turns_;
};

}  // namespace

TEST_F(HandshakeQueueTest, SourcesTakeTurns) {
    wait("a1", "10.0.0.1");
    wait("a2", "10.0.0.1");
    wait("a3", "10.0.0.1");
    wait("b1", "10.0.0.2");
    context_.run();
    EXPECT_THAT(turns_, ElementsAre("a1", "a2", "b1", "a3"));
}

TEST_F(HandshakeQueueTest, WhoGoesLeavesAtOnce) {
    for (int i = 0; i < 20; ++i) wait(std::to_string(i), "10.0.0.1");
    Client& closes = wait("closes", "10.0.0.1");
    Client& resets = wait("resets", "10.0.0.1");
    Client& evicted = wait("evicted", "10.0.0.1");
    asio::post(context_, [&] {
        closes.far_end.close();
        resets.far_end.set_option(asio::socket_base::linger(true, 0));
        resets.far_end.close();
        evicted.stream.close();
    });
    while (turns_.size() < 5) context_.run_one();
    EXPECT_THAT(turns_,
                testing::IsSupersetOf({"closes has gone", "resets has gone", "evicted has gone"}));
    context_.run();
    EXPECT_EQ(turns_.size(), 23U);
}

TEST_F(HandshakeQueueTest, ReadsOnWithinItsBound) {
    wait("first", "10.0.0.1");
    Client& more = wait("more", "10.0.0.1");
    Client& floods = wait("floods", "10.0.0.1");
    asio::write(more.far_end, asio::buffer(std::string(100, 'x')));
    asio::write(floods.far_end, asio::buffer(std::string(10'000, 'x')));
    context_.run();
    EXPECT_THAT(turns_, testing::UnorderedElementsAre("first", "more", "floods has gone"));
    EXPECT_EQ(more.received.size(), 100U);
}

}  // namespace wcs_node_agent::test
