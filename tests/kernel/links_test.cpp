// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include <algorithm>
#include <iterator>
#include <poll.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>

#include <gmock/gmock.h>

namespace wcs_node_agent {
namespace {

class Links : public TwoHosts {
 protected:
    Link link(const std::string& name) {
        for (const auto& one : monitor_.list().value())
            if (one.name == name) return one;
        return {};
    }
    bool reported() {
        pollfd readable{.fd = monitor_.descriptor(), .events = POLLIN, .revents = 0};
        return ::poll(&readable, 1, 1000) == 1 && monitor_.changed();
    }

    LinkMonitor monitor_{here_.inside([] { return LinkMonitor::open().value(); })};
};

TEST_F(Links, AreListedWithTheirKind) {
    EXPECT_TRUE(link("lo").loopback);
    EXPECT_FALSE(link("wan").loopback);
    EXPECT_FALSE(link("wan").physical) << "a veth is software";
    EXPECT_GT(link("wan").index, 1u);
}

TEST_F(Links, DefaultRoutesAreKnown) {
    EXPECT_FALSE(link("wan").default_route);
    here_.run("ip route add default via 10.77.0.2");
    EXPECT_TRUE(link("wan").default_route);
    EXPECT_FALSE(link("lo").default_route);
}

TEST_F(Links, ADefaultRouteOverSeveralHopsIsOfEach) {
    here_.run("ip link add second type bridge");
    here_.run("ip address add 10.79.0.1/24 dev second");
    here_.run("ip link set second up");
    here_.run("ip route add default nexthop via 10.77.0.2 nexthop via 10.79.0.2");
    EXPECT_TRUE(link("wan").default_route);
    EXPECT_TRUE(link("second").default_route);
}

TEST_F(Links, AnIpv6DefaultRouteCounts) {
    here_.run("sysctl -qw net.ipv6.conf.wan.disable_ipv6=0");
    here_.run("ip -6 address add fd77::1/64 dev wan nodad");
    here_.run("ip -6 route add default via fd77::2");
    EXPECT_TRUE(link("wan").default_route);
}

TEST_F(Links, ARouteThatRefusesIsNoDefaultRoute) {
    here_.run("ip route add unreachable default");
    // The kernel shows that of IPv6 as one through lo.
    here_.run("sysctl -qw net.ipv6.conf.lo.disable_ipv6=0");
    here_.run("ip link set lo up");
    here_.run("ip -6 route add unreachable default");
    for (const auto& one : monitor_.list().value()) EXPECT_FALSE(one.default_route) << one.name;
}

/// What the kernel could not report, as the socket's buffer was full (ENOBUFS), from
/// /proc/net/netlink.
std::uint64_t lost_messages(const NetworkNamespace& host, int descriptor) {
    struct stat status {};
    ::fstat(descriptor, &status);
    std::istringstream lines(host.run("cat /proc/net/netlink"));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::vector<std::string> fields(std::istream_iterator<std::string>(words), {});
        if (fields.size() >= 10 && fields.back() == std::to_string(status.st_ino))
            return std::stoull(fields[8]);
    }
    ADD_FAILURE() << "the socket is not listed";
    return 0;
}

TEST_F(Links, WhatCouldNotBeReportedIsAChangeToo) {
    monitor_.changed();
    const int least = 1;
    ::setsockopt(monitor_.descriptor(), SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
    for (int number = 0; number < 20; ++number)
        here_.run("ip link add flood" + std::to_string(number) + " type bridge");
    EXPECT_GT(lost_messages(here_, monitor_.descriptor()), 0u) << "no message was lost";
    EXPECT_TRUE(reported());
    EXPECT_EQ(link("flood19").name, "flood19");
    here_.run("ip link add late type bridge");
    EXPECT_TRUE(reported()) << "and it goes on";
}

/// While interfaces come and go all the time no list of 300 may be whole, but each is one.
TEST_F(Links, AreListedWhileTheyComeAndGo) {
    here_.run(
        "for n in $(seq 150); do echo link add many$n type veth peer name ynam$n; done |"
        " ip -batch -");
    const auto count = monitor_.list().value().size();
    EXPECT_GE(count, 302u);
    const std::jthread churn([&](const std::stop_token& stop) {
        const auto* batch =
            "for n in $(seq 20); do echo link add here$n type bridge; echo link delete here$n; "
            "done | ip -batch -";
        while (!stop.stop_requested()) here_.run(batch);
    });
    for (int attempt = 0; attempt < 100; ++attempt) {
        const auto links = monitor_.list();
        ASSERT_TRUE(links) << links.error().what;
        EXPECT_GE(links->size(), count);
        EXPECT_LE(links->size(), count + 1) << "none twice";
        EXPECT_TRUE(std::ranges::is_sorted(*links, {}, &Link::index));
    }
}

TEST_F(Links, ChangesAreReported) {
    monitor_.changed();
    EXPECT_FALSE(monitor_.changed()) << "nothing new";
    here_.run("ip link add late type bridge");
    EXPECT_TRUE(reported());
    here_.run("ip route add default via 10.77.0.2");
    EXPECT_TRUE(reported());
    here_.run("ip link delete late");
    EXPECT_TRUE(reported());
}

/// What is kept from messages against what the kernel lists when it is asked anew.
TEST_F(Links, AreKeptAsTheKernelHasThem) {
    monitor_.changed();
    ASSERT_TRUE(monitor_.update());
    monitor_.take_touched();
    here_.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=0");
    for (const auto* change : {"link add hub type bridge",
                               "link set hub up",
                               "link add one type veth peer name two",
                               "link set one master hub",
                               "link set one up",
                               "link set two up",
                               "link set one nomaster",
                               "link set one down",
                               "link set one name first",
                               "link property add dev two altname second",
                               "link property del dev two altname second",
                               "address add 10.90.0.1/24 dev hub",
                               "address add fd90::1/64 dev hub nodad",
                               "route add default via 10.90.0.7",
                               "route replace default via 10.77.0.2",
                               "-6 route add default via fd90::7",
                               "link add link wan name wan.5 type macvlan",
                               "link set wan.5 up",
                               "route add 128.0.0.0/1 via 10.90.0.7",
                               "route del 128.0.0.0/1",
                               "link add tunnel type vxlan id 9 dstport 4789 remote 10.90.0.9",
                               "link set tunnel up",
                               "route add 10.90.0.9/32 via 10.77.0.2",
                               "route del 10.90.0.9/32 via 10.77.0.2",
                               "link set tunnel type vxlan id 9 remote 10.77.0.9",
                               "rule add pref 100 lookup 201",
                               "route add default via 10.90.0.8 table 201",
                               "rule del pref 100",
                               "nexthop add id 1 via 10.77.0.2 dev wan",
                               "route add 96.0.0.0/3 nhid 1",
                               "nexthop del id 1",
                               "link set hub down",
                               "link del first",
                               "link del hub",
                               "link del wan.5",
                               "link del tunnel"}) {
        SCOPED_TRACE(change);
        here_.run(std::string("ip ") + change);
        // The kernel reports a carrier a moment later than it has it.
        const auto deadline = Clock::now() + std::chrono::seconds(5);
        std::vector<Link> listed;
        do {
            if (monitor_.changed()) {
                ASSERT_TRUE(monitor_.update());
            }
            EXPECT_TRUE(monitor_.take_touched()) << "no message was lost";
            listed = here_.inside([] { return LinkMonitor::open().value().list().value(); });
        } while (monitor_.links() != listed && Clock::now() < deadline);
        EXPECT_TRUE(monitor_.links() == listed);
    }
}

TEST_F(Links, SaysWhichOfThemWereTouched) {
    monitor_.changed();
    ASSERT_TRUE(monitor_.update());
    EXPECT_FALSE(monitor_.take_touched()) << "all are new";
    const auto wan = link("wan").index;
    monitor_.changed();
    ASSERT_TRUE(monitor_.update());
    monitor_.take_touched();
    here_.run("ip link set wan alias upstream");
    EXPECT_TRUE(reported());
    EXPECT_THAT(monitor_.take_touched(), testing::Optional(testing::ElementsAre(wan)));
    EXPECT_FALSE(monitor_.changed()) << "a second time";
}

/// A router of the world has a hundred changes a minute: none of them moves what leaves here.
TEST_F(Links, ARouteThatLeadsNoneOfTheirPacketsIsNoChange) {
    monitor_.changed();
    ASSERT_TRUE(monitor_.update());
    monitor_.take_touched();
    for (const auto* change : {"route add 192.0.2.0/24 via 10.77.0.2", "route del 192.0.2.0/24"}) {
        here_.run(std::string("ip ") + change);
        pollfd readable{.fd = monitor_.descriptor(), .events = POLLIN, .revents = 0};
        EXPECT_EQ(::poll(&readable, 1, 1000), 1);
        EXPECT_FALSE(monitor_.changed()) << change;
    }
    here_.run("ip route add 128.0.0.0/1 via 10.77.0.2");
    EXPECT_TRUE(reported());
}

}  // namespace
}  // namespace wcs_node_agent
