// SPDX-License-Identifier: Apache-2.0
/// Interfaces that come, go and change their names.
#include "network.hpp"

#include <gmock/gmock.h>

namespace wcs_node_agent {
namespace {

TEST_F(TwoHosts, AnInterfaceThatAppearsLaterIsCountedFromItsFirstFrame) {
    Watch watch(here_);
    run("ip link add late address 02:00:00:00:00:03 netns " + here_.name() +
        " type veth peer name late-peer netns " + there_.name());
    watch.refresh();
    here_.run("ip link set late up");
    there_.run("ip link set late-peer up");
    there_.run("ip address add 10.80.0.2/24 dev late-peer");
    there_.run(
        "ip neighbour replace 10.80.0.1 lladdr 02:00:00:00:00:03 dev late-peer nud permanent");
    send_udp(there_, "10.80.0.1", 5000, 500, 100, 20);
    EXPECT_EQ(watch.counters("late").traffic.receive_packets, 500u);
    EXPECT_EQ(watch.counters("late").traffic.receive_bytes, 500 * (100 + udp_headers));
}

TEST_F(TwoHosts, ANewNameKeepsTheCounters) {
    Watch watch(here_);
    const auto sink = udp_sink(here_, 5000);
    send_udp(there_, "10.77.0.1", 5000, 100, 100, 20);
    here_.run("ip link set wan down");
    here_.run("ip link set wan name uplink up");
    here_.run("ip neighbour replace 10.77.0.2 lladdr 02:00:00:00:00:02 dev uplink nud permanent");
    watch.refresh();
    EXPECT_EQ(watch.counters("wan").index, 0u);
    EXPECT_EQ(watch.counters("uplink").traffic.receive_packets, 100u);
    send_udp(there_, "10.77.0.1", 5000, 100, 100, 20);
    EXPECT_EQ(watch.counters("uplink").traffic.receive_packets, 200u);
}

TEST_F(TwoHosts, WhatHasGoneIsForgottenAndTheNextStartsAtZero) {
    here_.run("ip link add first type bridge mcast_snooping 0");
    Watch watch(here_);
    here_.run("ip address add 10.81.0.1/24 dev first");
    here_.run("ip link set first up");
    here_.run("ip neighbour replace 10.81.0.2 lladdr 02:00:00:00:00:09 dev first nud permanent");
    send_udp(here_, "10.81.0.2", 5000, 50, 100, 20);
    EXPECT_EQ(watch.counters("first").traffic.transmit_packets, 50u);
    here_.run("ip link delete first");
    here_.run("ip link add next type bridge mcast_snooping 0");
    watch.refresh();
    EXPECT_EQ(watch.counters("first").index, 0u);
    EXPECT_GT(watch.counters("next").index, 0u);
    EXPECT_EQ(watch.counters("next").traffic.transmit_packets, 0u);
}

TEST_F(TwoHosts, FramesOfOtherNamespacesAreNotOurs) {
    // A drop is reported by a tracepoint of the whole machine; the same index exists in both
    // namespaces.
    here_.run("ip link add twin index 4242 type bridge mcast_snooping 0");
    there_.run("ip link add twin index 4242 type bridge mcast_snooping 0");
    for (const auto* host : {&here_, &there_}) {
        host->run("ip address add 10.82.0.1/24 dev twin");
        host->run("ip link set twin up");
        host->run("ip neighbour replace 10.82.0.2 lladdr 02:00:00:00:00:09 dev twin nud permanent");
    }
    there_.run("tc qdisc add dev twin root tbf rate 100kbit burst 2kb limit 2kb");
    Watch watch(here_);
    send_udp(here_, "10.82.0.2", 5000, 100, 100, 20);
    send_udp(there_, "10.82.0.2", 5000, 1000, 100, 100);
    EXPECT_EQ(watch.counters("twin").traffic.transmit_packets, 100u)
        << "nothing subtracted for the other";
}

TEST_F(TwoHosts, MoreInterfacesThanSlotsAreCountedAsUnplaced) {
    for (const auto* name : {"second", "third"})
        here_.run(std::string("ip link add ") + name + " type bridge mcast_snooping 0");
    Watch watch(here_, {.hook = {}, .slots = 3});  // two of the three, and the unplaced one
    EXPECT_EQ(watch.probe->read()->interfaces.size(), 2u);
    EXPECT_EQ(watch.counters("third").index, 0u);

    here_.run("ip address add 10.83.0.1/24 dev third");
    here_.run("ip link set third up");
    here_.run("ip neighbour replace 10.83.0.2 lladdr 02:00:00:00:00:09 dev third nud permanent");
    send_udp(here_, "10.83.0.2", 5000, 10, 100, 20);
    EXPECT_EQ(watch.probe->read()->unplaced_packets, 10u);

    here_.run("ip link delete second");
    watch.refresh();
    send_udp(here_, "10.83.0.2", 5000, 10, 100, 20);
    EXPECT_EQ(watch.counters("third").traffic.transmit_packets, 10u)
        << "takes the slot that is free now";
    EXPECT_EQ(watch.probe->read()->unplaced_packets, 10u);
}

}  // namespace
}  // namespace wcs_node_agent
