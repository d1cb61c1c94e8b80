// SPDX-License-Identifier: Apache-2.0
/// What the kernel drops, by the reason that it gives.
#include "made_up_packets.hpp"

#include <algorithm>
#include <array>
#include <linux/if_ether.h>
#include <map>

namespace wcs_node_agent {
namespace {

using Drops = std::map<std::string, std::uint64_t>;

constexpr std::uint8_t udp_protocol = 17;

class DropTest : public TwoHosts {
 protected:
    /// Counts what is dropped of an interface; skips the test where the kernel gives no reasons.
    static void select(Watch& watch, const char* interface) {
        const std::array index{watch.counters(interface).index};
        watch.probe->select(index, false);
    }
    static std::uint64_t dropped(Watch& watch, const std::string& reason) {
        const auto all = watch.probe->read()->dropped_packets;
        const auto found = all.find(reason);
        return found == all.end() ? 0 : found->second;
    }
    static Bytes datagram() { return ethernet(ETH_P_IP) + ipv4(udp_protocol, udp(100)); }
};

struct DropCase {
    const char* reason;
    Bytes (*frame)();
};

class ReceiveDrop : public DropTest, public testing::WithParamInterface<DropCase> {
 protected:
    static constexpr int frames = 20;
};

INSTANTIATE_TEST_SUITE_P(
    EachKind, ReceiveDrop,
    testing::Values(DropCase{"no_socket",
                             [] { return ethernet(ETH_P_IP) + ipv4(udp_protocol, udp(100)); }},
                    DropCase{"ip_csum",
                             [] {
                                 auto damaged = ipv4(udp_protocol, udp(100));
                                 damaged[10] ^= 1;
                                 return ethernet(ETH_P_IP) + damaged;
                             }},
                    DropCase{"otherhost",
                             [] {
                                 auto other = ethernet(ETH_P_IP) + ipv4(udp_protocol, udp(100));
                                 other[5] = 0x77;  // the last byte of the destination
                                 return other;
                             }}),
    [](const auto& row) { return std::string(row.param.reason); });

TEST_P(ReceiveDrop, IsCountedByItsReason) {
    Watch there(there_);
    if (!there.probe->subtracts_drops())
        GTEST_SKIP() << "this kernel gives no reasons (from Linux 5.18)";
    select(there, "peer");
    PacketSocket socket(here_);
    const auto before = dropped(there, GetParam().reason);
    for (int i = 0; i < frames; ++i) EXPECT_TRUE(socket.send({}, GetParam().frame()));
    EXPECT_EQ(dropped(there, GetParam().reason) - before, frames);
}

TEST_F(DropTest, WhatTheQueueingDisciplineDropsHasAReason) {
    Watch here(here_);
    if (!here.probe->subtracts_drops())
        GTEST_SKIP() << "this kernel gives no reasons (from Linux 5.18)";
    select(here, "wan");
    here_.run("tc qdisc add dev wan root tbf rate 8kbit burst 2kb limit 5kb");
    PacketSocket(here_).send_plain(100);
    const auto root = nlohmann::json::parse(here_.run("tc -s -j qdisc show dev wan"));
    std::uint64_t by_queue = 0;
    for (const auto& one : root)
        if (one.contains("root")) by_queue = one.at("drops");
    EXPECT_GT(by_queue, 50U);
    std::uint64_t by_agent = 0;
    const auto counters = here.probe->read().value();
    for (const auto& [reason, frames] : counters.dropped_packets)
        if (reason.starts_with("qdisc_")) by_agent += frames;
    EXPECT_EQ(by_agent, by_queue);
}

TEST_F(DropTest, WhatIsNotSelectedIsNotCounted) {
    Watch there(there_);
    PacketSocket socket(here_);
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(socket.send({}, datagram()));
    EXPECT_EQ(there.probe->read()->dropped_packets, Drops{});
}

/// The names are the kernel's, in lower case and without what all begin with.
TEST_F(DropTest, ReasonsAreLabels) {
    Watch here(here_);
    const auto& names = here.probe->drop_reasons();
    if (!here.probe->subtracts_drops()) GTEST_SKIP() << "this kernel gives no reasons";
    EXPECT_TRUE(std::ranges::count(names, "no_socket") == 1);
    EXPECT_TRUE(std::ranges::count(names, "qdisc_drop") == 1);
    EXPECT_TRUE(std::ranges::all_of(names, [](const std::string& name) {
        return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == name.npos;
    }));
}

}  // namespace
}  // namespace wcs_node_agent
