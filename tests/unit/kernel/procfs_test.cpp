// SPDX-License-Identifier: Apache-2.0
#include "kernel/procfs.hpp"

#include "temporary_folder.hpp"

#include <filesystem>
#include <unistd.h>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

constexpr std::string_view net_dev =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop\n"
    "    lo:    1000      10    0    0    0     0          0         0     1000      10    0    0  "
    "  0     0       0          0\n"
    "  eth0:18446744073709551615 20 1 2 3 4 5 6 40 50 7 8 9 10 11 12\n"
    "eth0:1: 1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0\n";

TEST(ProcNetDev, BytesAndPacketsOfEachInterface) {
    const auto interfaces = parse_net_dev(net_dev);
    ASSERT_EQ(interfaces.size(), 3u);
    EXPECT_EQ(interfaces[1].name, "eth0");
    EXPECT_EQ(interfaces[1].traffic.receive_bytes, 18446744073709551615u);
    EXPECT_EQ(interfaces[1].traffic.receive_packets, 20u);
    EXPECT_EQ(interfaces[1].traffic.transmit_bytes, 40u);
    EXPECT_EQ(interfaces[1].traffic.transmit_packets, 50u);
    EXPECT_EQ(interfaces[2].name, "eth0:1");
}

/// A tree that looks like /proc.
class ProcfsProbeTest : public testing::Test {
 protected:
    void SetUp() override {
        std::filesystem::create_directories(root_ / "net");
        write("net/dev", net_dev);
        write("stat", "cpu  1 0 0 0 0 0 0 0\ncpu0 5 0 0 0 0 0 0 0\n");
    }

    void write(const char* name, std::string_view content) { folder_.write(name, content); }

    const test::TemporaryFolder folder_;
    const std::filesystem::path root_ = folder_.path();
};

TEST_F(ProcfsProbeTest, ReadsFollowedInterfacesAndCpus) {
    auto probe = ProcfsProbe::open(root_, {});
    ASSERT_TRUE(probe) << probe.error().what;
    const std::vector<Link> links{{.index = 1, .name = "lo", .loopback = true},
                                  {.index = 7, .name = "eth0"},
                                  {.index = 9, .name = "gone"}};
    (*probe)->set_links(links, {});
    EXPECT_EQ((*probe)->pending(), Pending::none) << "there is nothing to attach to";
    const auto counters = (*probe)->read();
    ASSERT_TRUE(counters) << counters.error().what;
    ASSERT_EQ(counters->interfaces.size(), 1u) << "no loopback, nothing that is not there";
    EXPECT_EQ(counters->interfaces[0].index, 7u);
    EXPECT_EQ(counters->cpus.size(), 1u);
    EXPECT_EQ((*probe)->source(), Source::procfs);
}

TEST_F(ProcfsProbeTest, EachReadingIsAnew) {
    auto probe = ProcfsProbe::open(root_, {});
    ASSERT_TRUE(probe);
    const auto before = (*probe)->read();
    write("stat", "cpu  1 0 0 0 0 0 0 0\ncpu0 6 0 0 0 0 0 0 0\n");
    const auto after = (*probe)->read();
    ASSERT_TRUE(before && after);
    EXPECT_GT(after->cpus[0].busy, before->cpus[0].busy);
    EXPECT_GT(after->at, before->at);
}

TEST_F(ProcfsProbeTest, ACounterOfADeviceThatFallsGoesOnAndHasBegunAnew) {
    auto probe = ProcfsProbe::open(root_, {});
    ASSERT_TRUE(probe);
    const std::vector<Link> links{{.index = 7, .name = "eth0"}};
    (*probe)->set_links(links, {});
    const auto read_with = [&](std::string_view sent) {
        write("net/dev", "eth0: 0 0 0 0 0 0 0 0 " + std::string(sent) + " 0 0 0 0 0 0\n");
        return (*probe)->read().value().interfaces.at(0);
    };
    const auto first = read_with("1000 10");
    const auto fallen = read_with("10 1");
    const auto later = read_with("30 3");
    EXPECT_EQ(fallen.traffic, first.traffic);
    EXPECT_GT(fallen.since, first.since);
    EXPECT_EQ(later.traffic.transmit_bytes, 1020u);
    EXPECT_EQ(later.traffic.transmit_packets, 12u);
    EXPECT_EQ(later.since, fallen.since);
}

TEST_F(ProcfsProbeTest, AFileLargerThanOneRead) {
    std::string stat = "cpu  0\n";
    for (int cpu = 0; cpu < 4096; ++cpu)
        stat += "cpu" + std::to_string(cpu) + " 1 2 3 4 5 6 7 8 9 10\n";
    write("stat", stat);
    auto probe = ProcfsProbe::open(root_, {});
    ASSERT_TRUE(probe);
    EXPECT_EQ((*probe)->read()->cpus.size(), 4096u);
}

TEST_F(ProcfsProbeTest, WhatIsMissingIsNamed) {
    std::filesystem::remove(root_ / "net/dev");
    const auto probe = ProcfsProbe::open(root_, {});
    ASSERT_FALSE(probe);
    EXPECT_EQ(probe.error().what, (root_ / "net/dev").native() + ": No such file or directory");
}

TEST_F(ProcfsProbeTest, WithoutStatTheInterfacesAreThereAllTheSame) {
    std::filesystem::remove(root_ / "stat");
    auto probe = ProcfsProbe::open(root_, {});
    ASSERT_TRUE(probe);
    auto counters = (*probe)->read();
    ASSERT_TRUE(counters);
    EXPECT_TRUE(counters->cpus.empty());
    EXPECT_EQ(counters->cpus_unknown, (root_ / "stat").native() + ": No such file or directory");
    write("stat", "cpu  1\ncpu0 5 0 0 0 0 0 0 0\n");
    counters = (*probe)->read();
    EXPECT_EQ(counters->cpus.size(), 1u) << "opened anew";
    EXPECT_EQ(counters->cpus_unknown, "");
    write("stat", "");
    EXPECT_EQ((*probe)->read()->cpus_unknown, (root_ / "stat").native() + ": lists no CPU");
}

TEST(ProcfsProbeReal, ThisMachine) {
    auto probe = ProcfsProbe::open();
    ASSERT_TRUE(probe) << probe.error().what;
    const auto counters = (*probe)->read();
    ASSERT_TRUE(counters);
    EXPECT_EQ(counters->cpus.size(), static_cast<std::size_t>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace
}  // namespace wcs_node_agent
