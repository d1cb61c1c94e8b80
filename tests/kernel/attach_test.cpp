// SPDX-License-Identifier: Apache-2.0
/// The order in which interfaces are attached to, and those that cannot be.
#include "kernel/kernel_programs.hpp"
#include "kernel/traffic_hook.hpp"
#include "log_capture.hpp"
#include "network.hpp"

#include <array>
#include <system_error>

#include <bpf/bpf.h>
#include <gmock/gmock.h>

namespace wcs_node_agent {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(TwoHosts, PriorityInterfacesAreAttachedFirst) {
    for (const auto* name : {"second", "third"})
        here_.run(std::string("ip link add ") + name + " type bridge mcast_snooping 0");
    auto monitor = here_.inside([] { return LinkMonitor::open().value(); });
    const auto links = monitor.list().value();
    const auto probe = here_.inside([] { return EbpfProbe::load().value(); });
    const auto counted = [&] {
        std::vector<std::string> names;
        const auto reading = probe->read().value();
        for (const auto& one : reading.interfaces) names.push_back(one.name);
        return names;
    };
    std::vector<std::uint32_t> priority;
    for (const auto& link : links)
        if (link.name == "third") priority.push_back(link.index);
    here_.inside([&] {
        EXPECT_EQ(probe->pending(), Pending::none);
        probe->set_links(links, priority);
        EXPECT_EQ(probe->pending(), Pending::priority);
        EXPECT_TRUE(counted().empty()) << "what is queued is absent, not 0";
        EXPECT_EQ(probe->attach_next(), Pending::others);
        EXPECT_EQ(counted(), std::vector<std::string>{"third"});
        probe->set_links(links, priority);
        EXPECT_EQ(probe->pending(), Pending::others) << "it is queued no more";
        EXPECT_EQ(probe->attach_next(), Pending::others);
        EXPECT_EQ(probe->attach_next(), Pending::none) << "that was the last";
        EXPECT_EQ(counted().size(), 3u);
        EXPECT_EQ(probe->attach_next(), Pending::none) << "none is left";
    });
}

/// A program that lets everything through.
Descriptor pass_everything() {
    const std::array<bpf_insn, 2> pass{
        {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, -1}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}}};
    return Descriptor(
        bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "pass", "GPL", pass.data(), pass.size(), nullptr));
}

class Attaching : public TwoHosts, public testing::WithParamInterface<HookKind> {
 protected:
    void SetUp() override {
        if (!kernel_has(GetParam())) GTEST_SKIP() << "this kernel has no TCX (from Linux 6.6)";
        TwoHosts::SetUp();
    }

    std::vector<Link> links() { return monitor_.list().value(); }

    std::uint32_t index(const std::string& name) {
        for (const auto& link : links())
            if (link.name == name) return link.index;
        return 0;
    }

    /// From now on the hook is refused on an interface: TCX takes 63 programs (ERANGE), and an
    /// ingress qdisc stands where a clsact would.
    void make_refused(const std::string& name) {
        if (GetParam() == HookKind::clsact) {
            here_.run("tc qdisc add dev " + name + " ingress");
            return;
        }
        constexpr auto tcx_ingress = static_cast<bpf_attach_type>(46);
        constexpr int most = 63;
        const auto interface = static_cast<int>(index(name));
        here_.inside([&] {
            for (int number = 0; number < most; ++number) {
                const auto program = pass_everything();  // none may be there twice
                others_.emplace_back(
                    bpf_link_create(program.get(), interface, tcx_ingress, nullptr));
                EXPECT_TRUE(others_.back()) << number;
            }
        });
    }

    LinkMonitor monitor_{here_.inside([] { return LinkMonitor::open().value(); })};
    std::vector<Descriptor> others_;
};

INSTANTIATE_TEST_SUITE_P(EachKind, Attaching, testing::Values(HookKind::tcx, HookKind::clsact),
                         [](const auto& row) { return std::string(to_string(row.param)); });

TEST_P(Attaching, TheErrorTellsAVanishedInterfaceFromARefusal) {
    here_.run("ip link add brief type bridge");
    const auto vanished = index("brief");
    here_.run("ip link delete brief");
    make_refused("wan");
    const auto program = pass_everything();
    const TrafficPrograms programs{.receive = program.get(), .transmit = program.get()};
    here_.inside([&] {
        const auto clsact = GetParam() == HookKind::clsact
                                ? TrafficControl::open(FilterHandle::claim()).value()
                                : nullptr;
        const auto gone = TrafficHook::attach(clsact, vanished, programs);
        ASSERT_FALSE(gone);
        EXPECT_EQ(gone.error().code, std::errc::no_such_device) << gone.error().what;
        const auto refused = TrafficHook::attach(clsact, index("wan"), programs);
        ASSERT_FALSE(refused);
        EXPECT_TRUE(refused.error().code) << refused.error().what;
        EXPECT_NE(refused.error().code, std::errc::no_such_device) << refused.error().what;
    });
}

TEST_P(Attaching, AnInterfaceThatHasVanishedIsNoWarning) {
    here_.run("ip link add brief type bridge");
    const auto listed = links();
    here_.run("ip link delete brief");
    const auto probe = here_.inside([&] { return EbpfProbe::load({.hook = GetParam()}).value(); });
    const LogCapture log;
    here_.inside([&] { attach_all(*probe, listed); });
    EXPECT_THAT(log.text(), HasSubstr("[debug] interface brief: gone"));
    EXPECT_THAT(log.text(), Not(HasSubstr("[warning]")));
    EXPECT_EQ(probe->read()->interfaces.size(), 1u) << "wan";
    here_.inside([&] { attach_all(*probe, {}); });  // detached where its index means it
}

TEST_P(Attaching, ARefusalIsLoggedOnce) {
    make_refused("wan");
    const auto probe = here_.inside([&] { return EbpfProbe::load({.hook = GetParam()}).value(); });
    const LogCapture log;
    here_.inside([&] { attach_all(*probe, links()); });
    EXPECT_THAT(log.text(), HasSubstr("[warning] interface wan: not counted: "));
    EXPECT_TRUE(probe->read()->interfaces.empty());
    const LogCapture later;
    here_.inside([&] { attach_all(*probe, links()); });
    EXPECT_THAT(later.text(), Not(HasSubstr("not counted")));
}

}  // namespace
}  // namespace wcs_node_agent
