// SPDX-License-Identifier: Apache-2.0
#include "net/listener.hpp"

#include "unit/net/loopback.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <optional>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/read.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

constexpr OpenConnections::Limits limits{.in_all = 100, .per_source = 100};

/// A listener that says "hello" to each connection.
class ListenerTest : public testing::Test {
 protected:
    ~ListenerTest() override { loop_.stop(); }

    Result<void> listen(std::vector<tcp::endpoint> endpoints) {
        return loop_.run([&] { return listener_.listen(endpoints); });
    }
    std::vector<tcp::endpoint> endpoints() {
        return loop_.run([this] { return listener_.endpoints(); });
    }
    std::uint64_t rejected() {
        return loop_.run([this] { return counters_.rejected_connections; });
    }
    void allow(AllowList allowed) {
        loop_.run([&] { listener_.allow(std::move(allowed)); });
    }

    void adopt(Descriptor socket, const tcp::endpoint& at) {
        loop_.run([&] { listener_.adopt(std::move(socket), at); });
    }

    AgentCounters counters_;
    Loop loop_;
    std::vector<asio::ip::address> sources_;  // of the connections, on the loop's thread
    Listener listener_{loop_.executor(),
                       "agent_listen",
                       "allow",
                       limits,
                       counters_,
                       [this](Connection connection) {
                           sources_.push_back(connection.source.address());
                           ::send(connection.socket.get(), "hello", 5, MSG_NOSIGNAL);
                       }};
};

/// A socket that listens already, as another process leaves it.
struct Inherited {
    explicit Inherited(const tcp::endpoint& at) {
        asio::io_context context;
        tcp::acceptor acceptor(context, at.protocol());
        if (at.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false));
        acceptor.bind(at);
        acceptor.listen();
        bound = acceptor.local_endpoint();
        socket = Descriptor(acceptor.release());
    }

    tcp::endpoint bound;
    Descriptor socket;
};

/// Calls it on a thread for which the kernel has no IPv6.
void without_ipv6(const std::function<void()>& body) {
    std::thread([&] {
        std::array filter{
            sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
            sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 3),
            sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
            sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
            sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
            sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        const sock_fprog program{filter.size(), filter.data()};
        ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
        body();
    }).join();
}

/// Who is connecting while a port goes is served, so it goes a moment later.
bool is_refused_soon(const tcp::endpoint& endpoint) {
    for (int attempt = 0; attempt < 2000; ++attempt) {
        try {
            Client(endpoint).read_all();
        } catch (const boost::system::system_error& refused) {
            return refused.code() == asio::error::connection_refused;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
}

/// Free on every address, as tests that run beside this one have ports of loopback's many.
tcp::endpoint free_port() {
    asio::io_context context;
    return tcp::acceptor(context, {asio::ip::address_v4::any(), 0}).local_endpoint();
}

}  // namespace

TEST_F(ListenerTest, ServesBothFamiliesOnOnePort) {
    allow(loopback_only());
    ASSERT_TRUE(listen({{asio::ip::address_v4::any(), 0}}));
    const tcp::endpoint v4 = endpoints().at(0);
    ASSERT_TRUE(
        listen({{asio::ip::address_v4::any(), 0}, {asio::ip::address_v6::any(), v4.port()}}));
    EXPECT_EQ(Client({asio::ip::address_v4::loopback(), v4.port()}).read_all(), "hello");
    EXPECT_EQ(Client({asio::ip::address_v6::loopback(), v4.port()}).read_all(), "hello");
}

TEST_F(ListenerTest, GivesStrangersNotAByteAndCountsThem) {
    allow(only("127.0.0.1/32"));
    ASSERT_TRUE(listen({any_port_v4}));
    Client stranger(endpoints().at(0), asio::ip::make_address("127.0.0.2"));
    EXPECT_EQ(stranger.read_all(), "");
    EXPECT_EQ(stranger.end, asio::error::eof);
    EXPECT_EQ(rejected(), 1U);
    EXPECT_EQ(Client(endpoints().at(0)).read_all(), "hello");
    EXPECT_EQ(rejected(), 1U);
}

TEST_F(ListenerTest, AllowsNobodyAtFirst) {
    ASSERT_TRUE(listen({any_port_v4}));
    EXPECT_EQ(Client(endpoints().at(0)).read_all(), "");
}

TEST_F(ListenerTest, SaysWhichEndpointIsTakenAndChangesNothing) {
    allow(loopback_only());
    ASSERT_TRUE(listen({any_port_v4}));
    const auto before = endpoints();
    asio::io_context context;
    const tcp::acceptor other(context, any_port_v4);
    const auto result = listen({any_port_v6, other.local_endpoint()});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().what, fmt::format("agent_listen 127.0.0.1:{}: address already in use",
                                               other.local_endpoint().port()));
    EXPECT_EQ(endpoints(), before);
    EXPECT_EQ(Client(before.at(0)).read_all(), "hello");
}

TEST_F(ListenerTest, KeepsWhatIsAskedForAgainAndClosesTheRest) {
    allow(loopback_only());
    ASSERT_TRUE(listen({any_port_v4, any_port_v6}));
    const auto before = endpoints();
    ASSERT_TRUE(listen({any_port_v4}));
    EXPECT_THAT(endpoints(), testing::ElementsAre(before.at(0)));
    EXPECT_EQ(Client(before.at(0)).read_all(), "hello");
    EXPECT_TRUE(is_refused_soon(before.at(1)));
}

TEST_F(ListenerTest, ServesWhoIsInTheQueueOfAPortThatGoes) {
    allow(loopback_only());
    ASSERT_TRUE(listen({any_port_v4}));
    const auto before = endpoints().at(0);
    std::optional<Client> waiting;
    loop_.run([&] {
        waiting.emplace(before);  // on the loop's own thread: it cannot have been accepted yet
        EXPECT_TRUE(listener_.listen(std::vector{any_port_v6}));
    });
    EXPECT_EQ(waiting->read_all(), "hello");
    EXPECT_EQ(waiting->end, asio::error::eof);
}

TEST_F(ListenerTest, APortThatWasAboutToGoComesBack) {
    allow(loopback_only());
    ASSERT_TRUE(listen({any_port_v4}));
    const auto before = endpoints();
    ASSERT_TRUE(listen({any_port_v6}));
    const auto meanwhile = endpoints();
    ASSERT_TRUE(listen({any_port_v4}));
    EXPECT_EQ(endpoints(), before);
    EXPECT_EQ(Client(before.at(0)).read_all(), "hello");
    EXPECT_TRUE(is_refused_soon(meanwhile.at(0)));
    EXPECT_EQ(Client(before.at(0)).read_all(), "hello") << "nor has its own end come later";
}

TEST_F(ListenerTest, ANarrowerPortServesOnBehindAWiderOne) {
    allow(loopback_only());
    const auto port = free_port().port();
    const tcp::endpoint loopback(asio::ip::address_v4::loopback(), port);
    const tcp::endpoint everywhere(asio::ip::address_v4::any(), port);
    ASSERT_TRUE(listen({loopback}));
    ASSERT_TRUE(listen({everywhere}));
    EXPECT_THAT(endpoints(), testing::ElementsAre(everywhere));
    EXPECT_EQ(Client(loopback).read_all(), "hello");
    ASSERT_TRUE(listen({any_port_v6}));
    EXPECT_TRUE(is_refused_soon(loopback)) << "both go together";
}

TEST_F(ListenerTest, MovesToAnotherAddressOfTheSamePort) {
    allow(loopback_only());
    const auto port = free_port().port();
    const tcp::endpoint everywhere(asio::ip::address_v4::any(), port);
    const tcp::endpoint loopback(asio::ip::address_v4::loopback(), port);
    for (const auto& next : {everywhere, loopback, everywhere}) {
        const auto result = listen({next});
        ASSERT_TRUE(result) << result.error().what;
        EXPECT_THAT(endpoints(), testing::ElementsAre(next));
        EXPECT_EQ(Client(loopback).read_all(), "hello");
    }
    asio::io_context context;
    AgentCounters counters;
    Listener second(context.get_executor(), "agent_listen", "allow", limits, counters,
                    [](const Connection&) {});
    EXPECT_FALSE(second.listen(std::vector{loopback})) << "a second agent must find it in use";
}

TEST_F(ListenerTest, GoesOnWithAnInheritedSocketAndServesWhoWaitsThere) {
    allow(loopback_only());
    Inherited inherited(any_port_v4);
    Client waiting(inherited.bound);
    adopt(std::move(inherited.socket), inherited.bound);
    ASSERT_TRUE(listen({inherited.bound}));
    EXPECT_THAT(endpoints(), testing::ElementsAre(inherited.bound));
    EXPECT_EQ(waiting.read_all(), "hello");
    EXPECT_EQ(Client(inherited.bound).read_all(), "hello");
}

TEST_F(ListenerTest, AnInheritedSocketThatIsNotAskedForGoesOnceItsQueueIsServed) {
    allow(loopback_only());
    Inherited inherited(any_port_v4);
    Client waiting(inherited.bound);
    adopt(std::move(inherited.socket), inherited.bound);
    ASSERT_TRUE(listen({any_port_v4}));
    EXPECT_EQ(waiting.read_all(), "hello");
    EXPECT_TRUE(is_refused_soon(inherited.bound));
}

TEST_F(ListenerTest, AnInheritedSocketLeavesRoomForAnotherAddressOfItsPort) {
    allow(loopback_only());
    Inherited inherited({asio::ip::address_v4::any(), 0});
    adopt(std::move(inherited.socket), inherited.bound);
    const tcp::endpoint loopback(asio::ip::address_v4::loopback(), inherited.bound.port());
    const auto result = listen({loopback});
    ASSERT_TRUE(result) << result.error().what;
    EXPECT_THAT(endpoints(), testing::ElementsAre(loopback));
    EXPECT_EQ(Client(loopback).read_all(), "hello");
}

TEST_F(ListenerTest, OpenPortsAreThoseThatAreServed) {
    const auto port = free_port().port();
    const tcp::endpoint loopback(asio::ip::address_v4::loopback(), port);
    const tcp::endpoint everywhere(asio::ip::address_v4::any(), port);
    const auto open = [this] {
        std::vector<tcp::endpoint> at;
        for (const auto& one : loop_.run([this] { return listener_.open_ports(); }))
            at.push_back(one.at);
        return at;
    };
    ASSERT_TRUE(listen({loopback, any_port_v4}));
    EXPECT_THAT(open(), testing::ElementsAre(loopback)) << "another run has another of any port";
    ASSERT_TRUE(listen({everywhere}));
    EXPECT_THAT(open(), testing::ElementsAre(everywhere, loopback)) << "which stays behind it";
    ASSERT_TRUE(listen({loopback}));
    EXPECT_THAT(open(), testing::ElementsAre(loopback)) << "the other one is about to go";
}

TEST_F(ListenerTest, ASourceOfASocketOfBothFamiliesIsItsIpv4Address) {
    allow(only("127.0.0.0/8"));
    Inherited inherited({asio::ip::address_v6::any(), 0});
    adopt(std::move(inherited.socket), inherited.bound);
    ASSERT_TRUE(listen({inherited.bound}));
    EXPECT_EQ(Client({asio::ip::address_v4::loopback(), inherited.bound.port()}).read_all(),
              "hello");
    const auto sources = loop_.run([this] { return sources_; });
    EXPECT_THAT(sources, testing::ElementsAre(asio::ip::make_address("127.0.0.1")));
}

TEST(Listener, LeavesEveryIpv6AddressOutWhereThereIsNone) {
    without_ipv6([] {
        asio::io_context context;
        AgentCounters counters;
        Listener listener(context.get_executor(), "agent_listen", "allow", limits, counters,
                          [](const Connection&) {});
        const tcp::endpoint every_v6(asio::ip::address_v6::any(), 0);
        EXPECT_TRUE(listener.listen(std::vector{any_port_v4, every_v6}));
        EXPECT_EQ(listener.endpoints().size(), 1U);

        const auto alone = listener.listen(std::vector{every_v6});
        ASSERT_FALSE(alone);
        EXPECT_EQ(alone.error().what,
                  "agent_listen [::]:0: address family not supported by protocol");
        EXPECT_FALSE(listener.listen(std::vector{any_port_v4, any_port_v6})) << "::1 was asked for";
        EXPECT_EQ(listener.endpoints().size(), 1U);
    });
}

TEST_F(ListenerTest, RefusesConnectionsAfterStop) {
    ASSERT_TRUE(listen({any_port_v4}));
    const auto bound = endpoints().at(0);
    loop_.run([this] { listener_.stop(); });
    EXPECT_THROW(Client{bound}, boost::system::system_error);
    EXPECT_TRUE(endpoints().empty());
}

// UBSan itself opens a pipe at each virtual call, and reports a fault where it gets none.
#ifndef __SANITIZE_ADDRESS__
TEST_F(ListenerTest, GoesOnWhenDescriptorsAreFreeAgain) {
    allow(loopback_only());
    ASSERT_TRUE(listen({any_port_v4}));
    const auto bound = endpoints().at(0);
    asio::io_context context;
    tcp::socket second(context, tcp::v4());
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit none{0, limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    second.connect(bound);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // accept fails meanwhile
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    std::string reply(5, '\0');
    asio::read(second, asio::buffer(reply));
    EXPECT_EQ(reply, "hello");
}
#endif

}  // namespace wcs_node_agent::test
