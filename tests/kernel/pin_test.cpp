// SPDX-License-Identifier: Apache-2.0
/// What outlives the process in a BPF file system: counting goes on, and the next one takes it
/// over.
#include "kernel/open_probe.hpp"
#include "killed_process.hpp"
#include "network.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <sys/mount.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>

namespace wcs_node_agent {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int datagrams_of_a_flood = 500;
constexpr std::uint64_t payload_of_each = 1000;
constexpr std::uint64_t bytes_of_a_flood = datagrams_of_a_flood * (payload_of_each + udp_headers);

/// Two hosts, and a BPF file system of the test's own.
class Pin : public TwoHosts, public testing::WithParamInterface<HookKind> {
 protected:
    Pin() {
        fs::create_directories(mount_);
        if (::mount("bpf", mount_.c_str(), "bpf", 0, nullptr) != 0)
            throw std::runtime_error("no BPF file system can be mounted");
    }
    ~Pin() override {
        ::umount2(mount_.c_str(), MNT_DETACH);
        fs::remove(mount_);
    }
    void SetUp() override {
        if (!kernel_has(GetParam())) GTEST_SKIP() << "this kernel has no TCX (from Linux 6.6)";
        TwoHosts::SetUp();
    }

    std::optional<PinFolder> folder() {
        return here_.inside([&] { return PinFolder::open(mount_ / "agent").value(); });
    }
    std::unique_ptr<Watch> start(std::uint16_t slots = 100, bool idle_halts = false) {
        return std::make_unique<Watch>(
            here_, EbpfOptions{.hook = GetParam(), .idle_halts = idle_halts, .slots = slots},
            folder());
    }
    void flood() { send_udp(here_, "10.77.0.2", 9000, datagrams_of_a_flood, payload_of_each, 5); }

    fs::path mount_ = fs::temp_directory_path() / ("wna-bpf-" + std::to_string(::getpid()));
};

INSTANTIATE_TEST_SUITE_P(EachKind, Pin, testing::Values(HookKind::tcx, HookKind::clsact),
                         [](const auto& kind) { return std::string(to_string(kind.param)); });

TEST_P(Pin, CountingGoesOnAndIsTakenOverToTheByte) {
    const auto sink = udp_sink(there_, 9000);
    auto first = start();
    EXPECT_THAT(first->probe->pinning(), IsEmpty());
    flood();
    first.reset();
    flood();  // nobody looks
    for (std::uint64_t restart = 1; restart <= 3; ++restart) {
        auto next = start();
        EXPECT_THAT(next->probe->pinning(), HasSubstr("has gone on"));
        const auto floods = 2 * restart;
        EXPECT_EQ(next->counters("wan").traffic.transmit_bytes, floods * bytes_of_a_flood);
        EXPECT_EQ(next->counters("wan").traffic.transmit_packets, floods * datagrams_of_a_flood);
        flood();
        EXPECT_EQ(next->counters("wan").traffic.transmit_bytes, (floods + 1) * bytes_of_a_flood);
        next.reset();
        flood();
    }
    here_.inside([&] { return unpin(*folder()); });
}

TEST_P(Pin, CountingGoesOnAfterAKill) {
    const auto sink = udp_sink(there_, 9000);
    in_killed_process([&] {
        const auto killed = start();
        flood();
        kill_this_process();
    });
    flood();  // nobody looks
    auto next = start();
    EXPECT_THAT(next->probe->pinning(), HasSubstr("has gone on"));
    EXPECT_EQ(next->counters("wan").traffic.transmit_bytes, 2 * bytes_of_a_flood);
    next.reset();
    here_.inside([&] { return unpin(*folder()); });
}

using BusyTimes = std::map<unsigned, std::chrono::nanoseconds>;  // by CPU

BusyTimes busy(EbpfProbe& probe) {
    BusyTimes times;
    for (const auto& cpu : probe.read().value().cpus) times[cpu.cpu] = cpu.busy;
    return times;
}

TEST_P(Pin, CpuTimeGoesOn) {
    auto first = start();
    // A CPU counts from its first switch on, which on an idle machine takes a moment.
    const auto have_all_begun = [&] {
        return std::ranges::none_of(busy(*first->probe),
                                    [](const auto& one) { return one.second.count() == 0; });
    };
    for (int wait = 0; wait < 200 && !have_all_begun(); ++wait)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const auto before = busy(*first->probe);
    ASSERT_TRUE(have_all_begun());
    first.reset();
    auto next = start();
    const auto after = busy(*next->probe);
    for (const auto& [cpu, time] : before) EXPECT_GE(after.at(cpu), time) << "CPU " << cpu;
    next.reset();
    here_.inside([&] { return unpin(*folder()); });
}

TEST_P(Pin, AnInterfaceThatAppearedAndOneThatWent) {
    const auto sink = udp_sink(there_, 9000);
    here_.run("ip link add gone type bridge");
    auto first = start();
    here_.run("ip link add late type bridge");
    first->refresh();
    std::uint32_t index = 0;
    for (const auto& link : first->links.list().value())
        if (link.name == "gone") index = link.index;
    first.reset();
    here_.run("ip link delete gone");
    here_.run("ip link add again index " + std::to_string(index) + " type bridge");
    auto next = start();
    flood();
    EXPECT_EQ(next->counters("wan").traffic.transmit_packets, datagrams_of_a_flood);
    EXPECT_EQ(next->counters("again").traffic.transmit_packets, 0u)
        << "another interface of that index";
    EXPECT_EQ(next->counters("gone").name, "");
    EXPECT_EQ(next->counters("late").name, "late");
    next.reset();
    here_.inside([&] { return unpin(*folder()); });
}

/// As with more interfaces than there were when it was loaded.
TEST_P(Pin, GoesOnWithAsManySlotsAsThereAre) {
    const auto sink = udp_sink(there_, 9000);
    start(50);
    flood();
    auto next = start(200);
    EXPECT_THAT(next->probe->pinning(), HasSubstr("counting has gone on"));
    flood();
    EXPECT_EQ(next->counters("wan").traffic.transmit_bytes, 2 * bytes_of_a_flood);
    next.reset();
    here_.inside([&] { return unpin(*folder()); });
}

TEST_P(Pin, AnotherLayoutStartsAfreshAndSaysSo) {
    const auto sink = udp_sink(there_, 9000);
    start(100, false);
    flood();
    auto next = start(100, true);
    EXPECT_THAT(next->probe->pinning(), HasSubstr("counting starts afresh"));
    EXPECT_EQ(next->counters("wan").traffic.transmit_packets, 0u);
    flood();
    EXPECT_EQ(next->counters("wan").traffic.transmit_bytes, bytes_of_a_flood) << "once, not twice";
    next.reset();
    here_.inside([&] { return unpin(*folder()); });
}

TEST_P(Pin, WhatAProcessLeftThatWasKilledWhilePinningIsNotGoneOnWith) {
    const auto sink = udp_sink(there_, 9000);
    in_killed_process([&] {
        kill_this_process_at_symlink();  // the identity, which is written last
        start();
    });
    EXPECT_THAT(folder()->names(), Not(IsEmpty())) << "else this shows nothing";
    auto next = start();
    EXPECT_THAT(next->probe->pinning(), HasSubstr("counting starts afresh"));
    flood();
    EXPECT_EQ(next->counters("wan").traffic.transmit_bytes, bytes_of_a_flood) << "once, not twice";
    next.reset();
    here_.inside([&] { return unpin(*folder()); });
}

TEST_P(Pin, AnAgentWithoutAFolderLeavesItAlone) {
    const auto sink = udp_sink(there_, 9000);
    start();
    flood();
    { const Watch check(here_, {.hook = GetParam()}); }
    flood();
    in_killed_process([&] {
        const Watch killed(here_, {.hook = GetParam()});
        kill_this_process();
    });
    auto next = start();
    EXPECT_THAT(next->probe->pinning(), HasSubstr("has gone on"));
    EXPECT_EQ(next->counters("wan").traffic.transmit_bytes, 2 * bytes_of_a_flood);
    next.reset();
    here_.inside([&] { return unpin(*folder()); });
    { const Watch sweeper(here_, {.hook = GetParam()}); }  // what the killed one left
    EXPECT_THAT(here_.run("tc filter show dev wan egress"), IsEmpty());
}

TEST_P(Pin, UnpinLeavesNothing) {
    start();
    const auto removed = here_.inside([&] { return unpin(*folder()); });
    EXPECT_GT(removed, 5u);
    EXPECT_FALSE(fs::exists(mount_ / "agent"));
    EXPECT_THAT(here_.run("tc filter show dev wan ingress"), IsEmpty());
    EXPECT_THAT(here_.run("tc qdisc show dev wan"), Not(HasSubstr("clsact")));
}

TEST_P(Pin, OneProcessAtATimeHoldsTheFolder) {
    const auto first = start();
    EXPECT_FALSE(folder()) << "of the same namespace";
    const auto other = there_.inside([&] { return PinFolder::open(mount_ / "agent").value(); });
    EXPECT_TRUE(other) << "of another one";
}

TEST(PinFolder, OutsideABpfFileSystemThereIsNone) {
    const auto folder = PinFolder::open(fs::temp_directory_path() / "wna-no-bpf");
    ASSERT_FALSE(folder);
    EXPECT_THAT(folder.error().what, HasSubstr("mount -t bpf"));
}

}  // namespace
}  // namespace wcs_node_agent
