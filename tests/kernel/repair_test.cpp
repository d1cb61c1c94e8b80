// SPDX-License-Identifier: Apache-2.0
/// Programs of others whose verdict keeps frames from the hook: once it is attached anew in front
/// of them, frames are counted again.
#include "log_capture.hpp"
#include "network.hpp"

#include <array>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <tuple>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>

namespace wcs_node_agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int exchanged = 100;

/// A program with this verdict.
Descriptor deciding_program(int verdict) {
    const std::array<bpf_insn, 2> code{{{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, verdict},
                                        {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}}};
    return Descriptor(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "decides", "GPL", code.data(),
                                    code.size(), nullptr));
}

struct HookedDirection {
    const char* name;
    bpf_attach_type tcx;
    bpf_tc_attach_point clsact;
    std::uint64_t Traffic::*packets;
};

constexpr HookedDirection on_ingress{"ingress", static_cast<bpf_attach_type>(46), BPF_TC_INGRESS,
                                     &Traffic::receive_packets};
constexpr HookedDirection on_egress{"egress", static_cast<bpf_attach_type>(47), BPF_TC_EGRESS,
                                    &Traffic::transmit_packets};

class Repair : public TwoHosts,
               public testing::WithParamInterface<std::tuple<HookKind, const HookedDirection*>> {
 protected:
    static HookKind kind() { return std::get<0>(GetParam()); }
    static const HookedDirection& direction() { return *std::get<1>(GetParam()); }

    void SetUp() override {
        if (!kernel_has(kind())) GTEST_SKIP() << "this kernel has no TCX (from Linux 6.6)";
        TwoHosts::SetUp();
    }

    int index() {
        return here_.inside([] { return static_cast<int>(::if_nametoindex("wan")); });
    }

    /// A program of somebody else's in front of all that is there; what it accepts no other sees.
    void accept_in_front() {
        foreign_ = deciding_program(TC_ACT_OK);
        if (kind() == HookKind::tcx) {
            bpf_link_create_opts options{};
            options.sz = sizeof(options);
            options.flags = 1U << 3;  // BPF_F_BEFORE
            foreign_link_ = here_.inside([&] {
                return Descriptor(
                    bpf_link_create(foreign_.get(), index(), direction().tcx, &options));
            });
            ASSERT_TRUE(foreign_link_);
            return;
        }
        bpf_tc_hook hook{};
        hook.sz = sizeof(hook);
        hook.ifindex = index();
        hook.attach_point = direction().clsact;
        bpf_tc_opts options{};
        options.sz = sizeof(options);
        options.prog_fd = foreign_.get();
        options.priority = 1;
        ASSERT_EQ(here_.inside([&] { return bpf_tc_attach(&hook, &options); }), 0);
    }

    bool foreign_is_there() {
        if (kind() == HookKind::clsact)
            return here_.run("tc filter show dev wan " + std::string(direction().name))
                       .find("decides") != std::string::npos;
        std::array<std::uint32_t, 8> programs{};
        std::uint32_t count = programs.size();
        here_.inside(
            [&] { bpf_prog_query(index(), direction().tcx, 0, nullptr, programs.data(), &count); });
        return count == 2;
    }

    void exchange_datagrams() {
        send_udp(here_, "10.77.0.2", 5000, exchanged, 100, 20);
        send_udp(there_, "10.77.0.1", 5000, exchanged, 100, 20);
    }

    std::uint64_t counted(Watch& watch) {
        return watch.counters("wan").traffic.*direction().packets;
    }

    Descriptor foreign_, foreign_link_;
};

INSTANTIATE_TEST_SUITE_P(EachKind, Repair,
                         testing::Combine(testing::Values(HookKind::tcx, HookKind::clsact),
                                          testing::Values(&on_ingress, &on_egress)),
                         [](const auto& row) {
                             return std::string(to_string(std::get<0>(row.param))) + "_" +
                                    std::get<1>(row.param)->name;
                         });

TEST_P(Repair, CountsAgainInFrontOfAForeignVerdict) {
    const auto sink_here = udp_sink(here_, 5000);
    const auto sink_there = udp_sink(there_, 5000);
    Watch watch(here_, {.hook = kind()});
    exchange_datagrams();
    ASSERT_EQ(counted(watch), exchanged);
    accept_in_front();
    exchange_datagrams();
    ASSERT_EQ(counted(watch), exchanged) << "hidden from the hook, else this shows nothing";
    const auto since = watch.counters("wan").since;

    const LogCapture log;
    const auto wan = watch.counters("wan").index;
    here_.inside([&] { watch.probe->repair(wan); });
    EXPECT_THAT(log.text(), Not(HasSubstr("interface wan")));
    exchange_datagrams();
    EXPECT_EQ(counted(watch), 2 * exchanged) << "the totals go on";
    EXPECT_GT(watch.counters("wan").since, since) << "with a gap";
    EXPECT_TRUE(foreign_is_there());

    watch.refresh();
    exchange_datagrams();
    EXPECT_EQ(counted(watch), 3 * exchanged) << "attached, as the next list of links finds it";
}

TEST_F(TwoHosts, TheRepairOfAnInterfaceThatIsNotFollowedIsNothing) {
    Watch watch(here_);
    here_.inside([&] { watch.probe->repair(4242); });
    EXPECT_THAT(watch.probe->read()->not_counted, IsEmpty());
}

}  // namespace
}  // namespace wcs_node_agent
