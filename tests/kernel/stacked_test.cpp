// SPDX-License-Identifier: Apache-2.0
/// Interfaces that stand on others: what RTNETLINK reports of them, which are selected, and that a
/// frame that crosses several is summed once.
#include "load/rate_window.hpp"
#include "load/selection.hpp"
#include "network.hpp"

#include <poll.h>
#include <utility>

#include <gmock/gmock.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

using Names = std::vector<std::string>;

class Stacked : public TwoHosts {
 protected:
    Link link(const std::string& name) {
        for (const auto& one : monitor_.list().value())
            if (one.name == name) return one;
        return {};
    }
    Names selected(const Names& globs = {}) {
        const auto links = monitor_.list().value();
        return names_of(links, select_interfaces(links, globs).selected);
    }
    Names left_out(const Names& globs) {
        const auto links = monitor_.list().value();
        std::vector<std::uint32_t> indexes;
        for (const auto& one : select_interfaces(links, globs).left_out)
            indexes.push_back(one.index);
        return names_of(links, indexes);
    }
    bool reported() {
        pollfd readable{.fd = monitor_.descriptor(), .events = POLLIN, .revents = 0};
        return ::poll(&readable, 1, 1000) == 1 && monitor_.changed();
    }
    void here(const std::string& command) { here_.run("ip " + command); }

    LinkMonitor monitor_{here_.inside([] { return LinkMonitor::open().value(); })};
};

TEST_F(Stacked, LinksSayWhatTheyStandOn) {
    here("link add link wan name mv type macvlan");
    here("link add link wan name tap type macvtap");
    here("link add br0 type bridge");
    here("link add vx type vxlan id 9 dev wan dstport 4789 remote 10.77.0.2");
    here("link add port0 type veth peer name port1");
    here("link set port0 master br0");
    const auto wan = link("wan").index;
    EXPECT_EQ(link("wan").kind, "veth");
    EXPECT_EQ(link("wan").lower, 0u) << "the cable's other end is in another namespace";
    EXPECT_EQ(link("port0").lower, 0u) << "nor is the other end of a pair here below";
    EXPECT_EQ(link("mv").kind, "macvlan");
    EXPECT_EQ(link("mv").lower, wan);
    EXPECT_EQ(link("tap").lower, wan);
    EXPECT_EQ(link("vx").lower, wan) << "encapsulated, its frames cross wan";
    EXPECT_EQ(link("port0").master, link("br0").index);
    EXPECT_EQ(link("br0").lower, 0u);
    EXPECT_TRUE(link("wan").carrier);
    EXPECT_FALSE(link("port0").carrier);
}

TEST_F(Stacked, WhatStandsOnALinkOfAnotherNamespaceIsTheLowestHere) {
    there_.run("ip link add link peer name guest type macvlan");
    there_.run("ip link set guest netns " + here_.name());
    here("address add 10.90.0.1/24 dev guest");
    here("link set guest up");
    here("route add default via 10.90.0.2");
    EXPECT_EQ(link("guest").lower, 0u);
    EXPECT_THAT(selected(), ElementsAre("guest"));
}

/// A row is a stack on wan and on a second cable, with a default route over its top.
struct Stack {
    const char* name;
    std::vector<const char*> commands;
    std::vector<const char*> lowest;
    bool forwards = true;  // a team does once teamd(8) has configured it

    friend void PrintTo(const Stack& stack, std::ostream* out) { *out << stack.name; }
};

class NeedsModule : public Stacked, public testing::WithParamInterface<Stack> {};

INSTANTIATE_TEST_SUITE_P(
    EachKind, NeedsModule,
    testing::Values(
        Stack{"vlan", {"link add link wan name top type vlan id 7"}, {"wan"}},
        Stack{"vlan_in_vlan",
              {"link add link wan name outer type vlan protocol 802.1ad id 7", "link set outer up",
               "link add link outer name top type vlan id 8"},
              {"wan"}},
        Stack{"bond",
              {"link add top type bond mode balance-rr", "link set wan down",
               "link set second down", "link set wan master top", "link set second master top"},
              {"wan", "second"}},
        Stack{"vlan_on_bond",
              {"link add lower type bond mode balance-rr", "link set wan down",
               "link set second down", "link set wan master lower", "link set second master lower",
               "link set lower up", "link add link lower name top type vlan id 7"},
              {"wan", "second"}},
        Stack{"team",
              {"link add top type team", "link set wan down", "link set second down",
               "link set wan master top", "link set second master top"},
              {"wan", "second"},
              false}),
    [](const auto& row) { return std::string(row.param.name); });

/// Frames sent over the top are summed once: each crosses exactly one of the lowest.
TEST_P(NeedsModule, LeadsToTheLowestWhereEachFrameIsSummedOnce) {
    here("link add second address 02:00:00:00:00:03 type veth peer name second-peer netns " +
         there_.name());
    there_.run("ip link set second-peer up");
    for (const auto* command : GetParam().commands) here(command);
    for (const auto* name : {"wan", "second", "top"}) here(std::string("link set ") + name + " up");
    here("address add 10.93.0.1/24 dev top");
    here("route add default via 10.93.0.2");
    here("neighbour replace 10.93.0.2 lladdr 02:00:00:00:00:09 dev top nud permanent");
    EXPECT_THAT(selected(), testing::UnorderedElementsAreArray(GetParam().lowest));
    for (const auto& name : selected()) EXPECT_THAT(selected({name, "top"}), ElementsAre(name));

    if (!GetParam().forwards) return;
    Watch watch(here_);
    const auto sum = [&] {
        std::uint64_t frames = 0;
        for (const auto* name : GetParam().lowest)
            frames += watch.counters(name).traffic.transmit_packets;
        return frames;
    };
    const auto before = sum();
    send_udp(here_, "10.93.0.2", 5000, 500, 100, 20);
    EXPECT_EQ(watch.counters("top").traffic.transmit_packets, 500u);
    EXPECT_GE(sum() - before, 500u);
    EXPECT_LE(sum() - before, 520u) << "some frames of the bond's own, but none of ours twice";
}

TEST_F(Stacked, DefaultRoutesLeadToTheLowest) {
    here("link add link wan name mv type macvlan");
    here("link set mv up");
    here("address add 10.90.0.1/24 dev mv");
    here("route add default via 10.90.0.2");
    EXPECT_THAT(selected(), ElementsAre("wan"));

    here("link add vx type vxlan id 9 dev wan dstport 4789 remote 10.77.0.2");
    here("address add 10.91.0.1/24 dev vx");
    here("link set vx up");
    here("route replace default via 10.91.0.2");
    EXPECT_THAT(selected(), ElementsAre("wan"));

    here("link add br0 type bridge");
    here("link add port0 type veth peer name port1");
    here("link set port0 master br0");
    here("link add link br0 name mv-br type macvlan");
    for (const auto* name : {"br0", "mv-br"}) here(std::string("link set ") + name + " up");
    here("address add 10.92.0.1/24 dev mv-br");
    here("route replace default via 10.92.0.2");
    EXPECT_THAT(selected(), ElementsAre("br0")) << "no card is among its ports";
}

TEST_F(Stacked, TheSelectionFollowsRoutesAndPorts) {
    here("link add lan type bridge");
    here("address add 10.93.0.1/24 dev lan");
    here("link set lan up");
    here("route add default via 10.77.0.2");
    EXPECT_THAT(selected(), ElementsAre("wan"));
    monitor_.changed();
    here("route replace default via 10.93.0.2");
    EXPECT_TRUE(reported());
    EXPECT_THAT(selected(), ElementsAre("lan"));

    EXPECT_THAT(selected({"*"}), ElementsAre("wan", "lan"));
    monitor_.changed();
    here("link set wan master lan");
    EXPECT_TRUE(reported()) << "a new port is a change";
    EXPECT_THAT(selected({"*"}), ElementsAre("wan"));
    EXPECT_THAT(left_out({"*"}), ElementsAre("lan"));
    monitor_.changed();
    here("link set wan nomaster");
    EXPECT_TRUE(reported());
    EXPECT_THAT(selected({"*"}), ElementsAre("wan", "lan"));
    EXPECT_THAT(left_out({"*"}), IsEmpty());
}

/// wan is a port of br0, and mv stands on br0: each frame is counted on all three.
class ThreeHigh : public Stacked {
 protected:
    void SetUp() override {
        Stacked::SetUp();
        here("address flush dev wan");
        here("link add br0 type bridge mcast_snooping 0");
        here("link set wan master br0");
        here("link add link br0 name mv address 02:00:00:00:00:07 type macvlan");
        for (const auto* name : {"br0", "mv"}) here(std::string("link set ") + name + " up");
        here("address add 10.77.0.1/24 dev mv");
        here("neighbour replace 10.77.0.2 lladdr 02:00:00:00:00:02 dev mv nud permanent");
        here("route add default via 10.77.0.2");
        there_.run(
            "ip neighbour replace 10.77.0.1 lladdr 02:00:00:00:00:07 dev peer nud permanent");
    }

    /// The bytes in and out, as in the bandwidth limits, of what happens meanwhile.
    template <class Traffic>
    std::pair<double, double> bytes_summed(const Names& globs, std::size_t wire_overhead,
                                           Traffic traffic) {
        Watch watch(here_);
        const auto selected = select_interfaces(monitor_.list().value(), globs).selected;
        RateWindow window(1ns);
        window.set_wire_overhead(wire_overhead);
        const auto before = watch.probe->read().value();
        window.add(before);
        traffic();
        const auto after = watch.probe->read().value();
        window.add(after);
        const auto seconds = Seconds(after.at - before.at).count();
        const auto rates = window.rates(selected);
        return {*rates.bits_in * seconds / 8, *rates.bits_out * seconds / 8};
    }
};

TEST_F(ThreeHigh, BytesOfTheWireAreSummedOnce) {
    const auto sink_here = udp_sink(here_, 5000);
    const auto sink_there = udp_sink(there_, 5000);
    for (const Names& globs : {Names{}, Names{"*"}, Names{"mv"}, Names{"mv", "wan"}}) {
        SCOPED_TRACE(testing::PrintToString(globs));
        const auto [in, out] = bytes_summed(globs, 0, [&] {
            send_udp(there_, "10.77.0.1", 5000, 500, 100, 20);
            send_udp(here_, "10.77.0.2", 5000, 300, 200, 20);
        });
        EXPECT_NEAR(in, 500 * (100 + udp_headers), 0.5);
        EXPECT_NEAR(out, 300 * (200 + udp_headers), 0.5);
    }
}

TEST_F(ThreeHigh, WireOverheadIsSummedForEachFrame) {
    const auto sink = udp_sink(here_, 5000);
    const auto [in, out] =
        bytes_summed({}, 24, [&] { send_udp(there_, "10.77.0.1", 5000, 500, 100, 20); });
    EXPECT_NEAR(in, 500 * (100 + udp_headers + 24), 0.5);
    EXPECT_EQ(out, 0);
}

/// Aggregated on the way up and split on the way down, a packet of TCP is many frames on the wire.
TEST_F(ThreeHigh, WireOverheadOfAggregatesIsThatOfTheirFrames) {
    Watch truth(there_);
    const auto [in, out] =
        bytes_summed({}, 1000, [&] { send_tcp(there_, here_, "10.77.0.1", 5001, 4 << 20); });
    const auto sent = truth.counters("peer");
    EXPECT_GT(sent.traffic.transmit_packets, 2800u);
    EXPECT_NEAR(
        in, static_cast<double>(sent.traffic.transmit_bytes + 1000 * sent.traffic.transmit_packets),
        0.5);
}

}  // namespace
}  // namespace wcs_node_agent
