// SPDX-License-Identifier: Apache-2.0
/// Exactness: what is counted is what was sent, frame by frame and byte by byte.
#include "network.hpp"

#include <array>
#include <linux/if_packet.h>
#include <sys/socket.h>

namespace wcs_node_agent {
namespace {

class Hooked : public TwoHosts, public testing::WithParamInterface<HookKind> {
 protected:
    void SetUp() override {
        if (!kernel_has(GetParam())) GTEST_SKIP() << "this kernel has no TCX (from Linux 6.6)";
        TwoHosts::SetUp();
    }
};

INSTANTIATE_TEST_SUITE_P(EachKind, Hooked, testing::Values(HookKind::tcx, HookKind::clsact),
                         [](const auto& row) { return std::string(to_string(row.param)); });

TEST_P(Hooked, TwoHundredMegabitsOfUdpAreCountedToTheByte) {
    Watch here(here_, {.hook = GetParam()});
    Watch there(there_, {.hook = GetParam()});
    const auto sink = udp_sink(here_, 5000);
    constexpr int datagrams = 60'000;
    constexpr std::size_t payload = 1200;
    send_udp(there_, "10.77.0.1", 5000, datagrams, payload, 20);  // 20 a millisecond: 199 Mbit/s

    const auto received = here.counters("wan");
    EXPECT_EQ(received.traffic.receive_packets, datagrams);
    EXPECT_EQ(received.traffic.receive_bytes, datagrams * (payload + udp_headers));
    EXPECT_EQ(received.traffic.transmit_packets, 0u);
    const auto sent = there.counters("peer");
    EXPECT_EQ(sent.traffic.transmit_packets, datagrams);
    EXPECT_EQ(sent.traffic.transmit_bytes, datagrams * (payload + udp_headers));
    EXPECT_EQ(sent.traffic.receive_packets, 0u);
}

TEST_F(TwoHosts, TcpJoinedByTheReceiverIsCountedAsItCrossedTheWire) {
    there_.run("ethtool -K peer tso off gso off");
    here_.run("ethtool -K wan gro on");
    Watch here(here_);
    Watch there(there_);
    const auto before = own_counters(there_, "peer");  // one packet there is one frame
    send_tcp(there_, here_, "10.77.0.1", 5001, 64 << 20);

    const auto received = here.counters("wan");
    const auto sent = there.counters("peer");
    const auto truth =
        own_counters(there_, "peer").traffic.transmit_packets - before.traffic.transmit_packets;
    EXPECT_GT(truth, (64u << 20) / 1500);
    EXPECT_EQ(sent.traffic.transmit_packets, truth);
    EXPECT_EQ(received.traffic.receive_packets, truth);
    EXPECT_EQ(received.traffic.receive_bytes, sent.traffic.transmit_bytes);
    EXPECT_GT(received.traffic.receive_bytes, (64u << 20) + truth * 54)
        << "every segment has its headers";
    EXPECT_EQ(received.traffic.transmit_bytes, sent.traffic.receive_bytes)
        << "and so have the acknowledgements";
}

TEST_F(TwoHosts, TcpThatTheSenderLeavesUnsegmentedCountsAlikeAtBothEnds) {
    Watch here(here_);
    Watch there(there_);
    send_tcp(there_, here_, "10.77.0.1", 5001, 64 << 20);
    const auto received = here.counters("wan");
    const auto sent = there.counters("peer");
    EXPECT_EQ(received.traffic.receive_packets, sent.traffic.transmit_packets);
    EXPECT_EQ(received.traffic.receive_bytes, sent.traffic.transmit_bytes);
    EXPECT_GE(received.traffic.receive_packets, (64u << 20) / 1448);
}

TEST_F(TwoHosts, WhatTheQueueingDisciplineDropsIsNotSent) {
    Watch here(here_);
    if (!here.probe->subtracts_drops())
        GTEST_SKIP() << "this kernel does not report what the qdisc drops (from Linux 5.18)";
    here_.run("tc qdisc add dev wan root tbf rate 20mbit burst 16kb limit 30kb");
    const auto sink = udp_sink(there_, 5000);
    constexpr int datagrams = 20'000;
    send_udp(here_, "10.77.0.2", 5000, datagrams, 1200, 20);

    const auto statistics = empty_root_qdisc(here_, "wan");
    const auto counted = here.counters("wan");
    EXPECT_GT(statistics.at("drops"), datagrams / 2) << "else the test shows nothing";
    EXPECT_EQ(counted.traffic.transmit_packets, statistics.at("packets"));
    EXPECT_EQ(counted.traffic.transmit_bytes, statistics.at("bytes"));
}

/// A tagged frame as another host sends it. The receiving stack takes the tag out of the frame
/// before the hook sees it; on the wire it was there.
TEST_F(TwoHosts, AVlanTagIsFourBytesOnTheWire) {
    Watch here(here_);
    Watch there(there_);
    std::array<unsigned char, 500> frame{0x02, 0,    0,    0,    0,    0x01, 0x02, 0,    0,   0,
                                         0,    0x02, 0x81, 0x00, 0x00, 0x07, 0x08, 0x00, 0x45};
    const auto socket =
        there_.inside([] { return Descriptor(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)); });
    sockaddr_ll out{};
    out.sll_family = AF_PACKET;
    out.sll_ifindex = static_cast<int>(there.counters("peer").index);
    for (int i = 0; i < 100; ++i)
        ASSERT_EQ(::sendto(socket.get(), frame.data(), frame.size(), 0,
                           reinterpret_cast<const sockaddr*>(&out), sizeof(out)),
                  static_cast<ssize_t>(frame.size()));
    EXPECT_EQ(there.counters("peer").traffic.transmit_bytes, 100 * frame.size());
    EXPECT_EQ(here.counters("wan").traffic.receive_packets, 100u);
    EXPECT_EQ(here.counters("wan").traffic.receive_bytes, 100 * frame.size());
}

}  // namespace
}  // namespace wcs_node_agent
