// SPDX-License-Identifier: Apache-2.0
/// The programs alone (BPF_PROG_TEST_RUN), which can be given what no socket lets through.
#include "made_up_packets.hpp"

#include <array>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <optional>

#include <bpf/bpf.h>

namespace wcs_node_agent {
namespace {

class TestRun : public TwoHosts {
 protected:
    void SetUp() override {
        TwoHosts::SetUp();
        watch_.emplace(here_);
        index_ = here_.inside([] { return ::if_nametoindex("wan"); });
    }

    /// One run of each program over the frame; what each added.
    std::array<Frames, 2> added(const Bytes& frame, std::uint32_t gso_size,
                                std::uint32_t gso_segs) {
        const auto before = watch_->counters("wan");
        const auto& programs = watch_->probe->programs();
        for (const auto* program : {&programs.receive, &programs.transmit}) {
            __sk_buff context{};
            context.ifindex = index_;
            context.gso_size = gso_size;
            context.gso_segs = gso_segs;
            bpf_test_run_opts options{};
            options.sz = sizeof(options);
            options.data_in = frame.data();
            options.data_size_in = static_cast<std::uint32_t>(frame.size());
            options.ctx_in = &context;
            options.ctx_size_in = sizeof(context);
            here_.inside([&] { EXPECT_EQ(bpf_prog_test_run_opts(program->get(), &options), 0); });
        }
        const auto now = watch_->counters("wan");
        return {received(now) - received(before), sent(now) - sent(before)};
    }

 private:
    std::optional<Watch> watch_;
    std::uint32_t index_ = 0;
};

TEST_F(TestRun, SegmentsThatThePacketHasNoRoomForAreNotBelieved) {
    const auto frame = ethernet(ETH_P_IP) + ipv4(6, tcp(1'000));
    struct Row {
        const char* what;
        std::uint32_t size;
        std::uint32_t segments;
        Frames expected;
    };
    for (const auto& row : {
             Row{"as many as there are", 100, 10, {10, 1'054 + 9 * 54}},
             Row{"one that a card cut in two", 100, 11, {11, 1'054 + 10 * 54}},
             Row{"65,535", 100, 65'535, {10, 1'054 + 9 * 54}},
             Row{"12", 100, 12, {10, 1'054 + 9 * 54}},
             Row{"none", 100, 0, {10, 1'054 + 9 * 54}},
             Row{"larger than the packet", 60'000, 30, {1, 1'054}},
         }) {
        SCOPED_TRACE(row.what);
        for (const auto& one : added(frame, row.size, row.segments)) EXPECT_EQ(one, row.expected);
    }
}

TEST_F(TestRun, RandomPacketsAddNoMoreThanTheyCanBe) {
    Dice dice;
    for (int i = 0; i < 2'000; ++i) {
        const auto frame = dice.frame(3'000);
        auto header = dice.header(frame.size());
        const auto bound = most(header, frame.size());
        const std::uint32_t size = header.gso_type == gso_none ? 0U : header.gso_size;
        const auto segments = static_cast<std::uint32_t>(dice.one_in(2) ? 0 : dice.upto(0xffff));
        for (const auto& one : added(frame, size, segments)) {
            ASSERT_GE(one.packets, 1u) << "packet " << i;
            ASSERT_GE(one.bytes, frame.size()) << "packet " << i;
            ASSERT_LE(one.packets, bound.packets) << "packet " << i;
            ASSERT_LE(one.bytes, bound.bytes) << "packet " << i;
        }
    }
}

}  // namespace
}  // namespace wcs_node_agent
