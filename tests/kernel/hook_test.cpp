// SPDX-License-Identifier: Apache-2.0
/// The programs count and never decide, and leave nothing behind.
#include "killed_process.hpp"
#include "network.hpp"

#include <linux/pkt_cls.h>
#include <net/if.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>

namespace wcs_node_agent {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto tcx_ingress = static_cast<bpf_attach_type>(46);

std::uint32_t attached_programs(const NetworkNamespace& where) {
    return where.inside([] {
        std::uint32_t total = 0;
        for (const auto& link : LinkMonitor::open().value().list().value()) {
            std::uint32_t count = 0;
            bpf_prog_query(static_cast<int>(link.index), tcx_ingress, 0, nullptr, nullptr, &count);
            total += count;
        }
        return total;
    });
}

/// How many of the agent's filters wan has in that direction.
int filters(const NetworkNamespace& where, const std::string& direction) {
    const auto shown = where.run("tc filter show dev wan " + direction);
    const std::string name = " name count_";
    int count = 0;
    for (auto at = shown.find(name); at != std::string::npos; at = shown.find(name, at + 1))
        ++count;
    return count;
}

TEST_F(TwoHosts, TcxLinksDieWithTheProbe) {
    if (!kernel_has(HookKind::tcx)) GTEST_SKIP() << "this kernel has no TCX (from Linux 6.6)";
    auto watch = std::make_unique<Watch>(here_, EbpfOptions{.hook = HookKind::tcx});
    EXPECT_EQ(attached_programs(here_), 1u) << "on wan, not on lo";
    watch.reset();
    EXPECT_EQ(attached_programs(here_), 0u);
}

TEST_F(TwoHosts, ClsactIsRemovedWithTheProbe) {
    auto watch = std::make_unique<Watch>(here_, EbpfOptions{.hook = HookKind::clsact});
    EXPECT_THAT(here_.run("tc filter show dev wan ingress"), HasSubstr("count_receive"));
    EXPECT_THAT(here_.run("tc filter show dev wan egress"), HasSubstr("count_transmit"));
    watch.reset();
    EXPECT_THAT(here_.run("tc qdisc show dev wan"), Not(HasSubstr("clsact")));
}

TEST_F(TwoHosts, ClsactOfOthersStays) {
    here_.run("tc qdisc add dev wan clsact");
    here_.run("tc filter add dev wan ingress protocol ip pref 77 u32 match u32 0 0 flowid 1:1");
    { const Watch gone_at_once(here_, {.hook = HookKind::clsact}); }
    EXPECT_THAT(here_.run("tc qdisc show dev wan"), HasSubstr("clsact"));
    EXPECT_THAT(here_.run("tc filter show dev wan ingress"), HasSubstr("pref 77"));
    EXPECT_THAT(here_.run("tc filter show dev wan ingress"), Not(HasSubstr("count_receive")));
}

TEST_F(TwoHosts, AnEmptyClsactOfOthersStays) {
    here_.run("tc qdisc add dev wan clsact");
    { const Watch watch(here_, {.hook = HookKind::clsact}); }
    EXPECT_THAT(here_.run("tc qdisc show dev wan"), HasSubstr("clsact"));
}

TEST_F(TwoHosts, AFilterAddedMeanwhileKeepsTheQdisc) {
    {
        Watch watch(here_, {.hook = HookKind::clsact});
        here_.run("tc filter add dev wan egress protocol ip pref 77 u32 match u32 0 0 flowid 1:1");
    }
    EXPECT_THAT(here_.run("tc filter show dev wan egress"), HasSubstr("pref 77"));
}

TEST_F(TwoHosts, WhatAKilledAgentLeftIsReplaced) {
    in_killed_process([&] {
        const Watch killed(here_, {.hook = HookKind::clsact});
        kill_this_process();
    });
    EXPECT_EQ(filters(here_, "ingress"), 1) << "it outlives its process, else this shows nothing";
    Watch watch(here_, {.hook = HookKind::clsact});
    const auto sink = udp_sink(here_, 5000);
    send_udp(there_, "10.77.0.1", 5000, 100, 100, 20);
    EXPECT_EQ(watch.counters("wan").traffic.receive_packets, 100u);
    EXPECT_EQ(filters(here_, "ingress"), 1) << "not counted twice";
    EXPECT_EQ(filters(here_, "egress"), 1);
}

/// A filter of somebody else's that drops everything that comes in.
Descriptor drop_everything(const NetworkNamespace& where, const char* interface) {
    const std::array<bpf_insn, 2> shot{{{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, TC_ACT_SHOT},
                                        {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}}};
    Descriptor program(
        bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "drop", "GPL", shot.data(), shot.size(), nullptr));
    where.inside([&] {
        bpf_tc_hook hook{};
        hook.sz = sizeof(hook);
        hook.ifindex = static_cast<int>(::if_nametoindex(interface));
        hook.attach_point = BPF_TC_INGRESS;
        bpf_tc_hook_create(&hook);
        bpf_tc_opts options{};
        options.sz = sizeof(options);
        options.prog_fd = program.get();
        options.priority = 77;
        EXPECT_EQ(bpf_tc_attach(&hook, &options), 0);
    });
    return program;
}

class Deciding : public TwoHosts, public testing::WithParamInterface<HookKind> {
 protected:
    void SetUp() override {
        if (!kernel_has(GetParam())) GTEST_SKIP() << "this kernel has no TCX (from Linux 6.6)";
        TwoHosts::SetUp();
    }
};

INSTANTIATE_TEST_SUITE_P(EachKind, Deciding, testing::Values(HookKind::tcx, HookKind::clsact),
                         [](const auto& row) { return std::string(to_string(row.param)); });

TEST_P(Deciding, FiltersOfOthersStillDecide) {
    Watch watch(here_, {.hook = GetParam()});
    const auto sink = udp_sink(here_, 5000);
    std::array<char, 200> datagram{};
    send_udp(there_, "10.77.0.1", 5000, 1, 100, 1);
    EXPECT_EQ(::recv(sink.get(), datagram.data(), datagram.size(), MSG_DONTWAIT), 100)
        << "counting lets it through";
    const auto program = drop_everything(here_, "wan");
    send_udp(there_, "10.77.0.1", 5000, 99, 100, 20);
    EXPECT_EQ(watch.counters("wan").traffic.receive_packets, 100u) << "counted: it was on the wire";
    EXPECT_LT(::recv(sink.get(), datagram.data(), datagram.size(), MSG_DONTWAIT), 0)
        << "but dropped by the filter behind";
}

}  // namespace
}  // namespace wcs_node_agent
