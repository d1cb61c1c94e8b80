// SPDX-License-Identifier: Apache-2.0
#include "kernel/cpu_list.hpp"

#include "kernel/cpu_times.hpp"
#include "kernel/online_cpus.hpp"

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <unistd.h>

#include <gmock/gmock.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct CpuListRow {
    const char* shows;
    std::string_view text;
    std::optional<std::vector<unsigned>> cpus;

    friend void PrintTo(const CpuListRow& row, std::ostream* out) { *out << row.shows; }
};

class CpuList : public testing::TestWithParam<CpuListRow> {};

INSTANTIATE_TEST_SUITE_P(
    Rows, CpuList,
    testing::Values(CpuListRow{"one", "0\n", {{0}}}, CpuListRow{"a range", "0-3\n", {{0, 1, 2, 3}}},
                    CpuListRow{"gaps", "0-1,4,6-7\n", {{0, 1, 4, 6, 7}}},
                    CpuListRow{"none is online", "\n", std::vector<unsigned>{}},
                    CpuListRow{"the highest there can be", "8191", {{8191}}},
                    CpuListRow{"a number no CPU has", "8192", {}},
                    CpuListRow{"a range that no machine has", "0-4294967295", {}},
                    CpuListRow{"backwards", "3-0", {}}, CpuListRow{"not ascending", "4,2", {}},
                    CpuListRow{"twice", "1,1", {}}, CpuListRow{"cut after a comma", "0,", {}},
                    CpuListRow{"cut after a dash", "0-", {}}, CpuListRow{"words", "all", {}},
                    CpuListRow{"something behind", "0-1 2", {}}));

TEST_P(CpuList, IsReadAsTheKernelWritesIt) {
    EXPECT_EQ(parse_cpu_list(GetParam().text), GetParam().cpus);
}

TEST(CpuList, AnArrayByCpuHasRoomForTheHighestPossible) {
    const auto size = cpu_array_size().value();
    const auto present = present_cpus().value();
    ASSERT_FALSE(present.empty());
    EXPECT_GT(size, present.back());
}

TEST(CpuList, GetsACpuThatIsPluggedInOnce) {
    std::vector<unsigned> cpus{0, 4};
    for (const unsigned cpu : {4u, 2u, 7u, 2u, 0u}) add_cpu(cpus, cpu);
    EXPECT_THAT(cpus, ElementsAre(0u, 2u, 4u, 7u));
}

/// Beginnings of /proc/stat, by page.
TEST(StatBeginning, IsEnoughWhenAnotherLineThanACpusHasBegun) {
    const std::string cpus = "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\n";
    EXPECT_FALSE(has_all_cpus(""));
    EXPECT_FALSE(has_all_cpus("cpu  1 2 3"));
    EXPECT_FALSE(has_all_cpus(cpus));
    EXPECT_FALSE(has_all_cpus(cpus + "in")) << "may be anything yet";
    EXPECT_FALSE(has_all_cpus(cpus + "cpu10 1"));
    EXPECT_TRUE(has_all_cpus(cpus + "intr 1 2 3 4")) << "however long that line is";
    EXPECT_TRUE(has_all_cpus(cpus + "intr 1\n"));
    EXPECT_TRUE(has_all_cpus(cpus + "intr 1\nct"));
}

/// A /sys of the test's own, beside the real /proc.
class Online : public testing::Test {
 protected:
    void SetUp() override {
        sys_ = testing::TempDir() + "online-" + std::to_string(::getpid());
        std::filesystem::create_directories(sys_ / "devices/system/cpu");
    }
    void TearDown() override { std::filesystem::remove_all(sys_); }

    void say(std::string_view online) {
        std::ofstream(sys_ / "devices/system/cpu/online") << online << std::flush;
    }
    static std::vector<unsigned> numbers(const Result<std::vector<CpuCounters>>& cpus) {
        std::vector<unsigned> numbers;
        for (const auto& one : cpus.value()) numbers.push_back(one.cpu);
        return numbers;
    }

    std::filesystem::path sys_;
};

TEST_F(Online, AreThoseThatSysfsHasAtEachReading) {
    say("0-1");
    OnlineCpus cpus(sys_);
    const auto now = Clock::now();
    const auto all = numbers(cpus.read(now));
    ASSERT_GE(all.size(), 1u);
    say("0");
    EXPECT_THAT(numbers(cpus.read(now)), ElementsAre(0u)) << "at once, whenever /proc/stat is due";
    say("0-1");
    EXPECT_EQ(numbers(cpus.read(now)), all);
}

TEST_F(Online, AreThoseOfProcStatWhereSysfsSaysNothing) {
    OnlineCpus cpus(sys_);
    const auto all = numbers(cpus.read(Clock::now()));
    EXPECT_FALSE(all.empty());
    say("0 and some more");
    EXPECT_EQ(numbers(cpus.read(Clock::now())), all);
}

/// As in a container whose /proc/stat is lxcfs', with numbers of its own.
TEST_F(Online, AreThoseOfProcStatAloneWhereThatIsNotTheKernels) {
    say("4-5");
    const auto proc = sys_ / "proc";
    std::filesystem::create_directories(proc);
    const auto stat = [&](std::string_view text) { std::ofstream(proc / "stat") << text; };
    stat("cpu 9 0 0 9\ncpu0 9 0 0 9\n");
    OnlineCpus cpus(sys_, proc);
    const auto now = Clock::now();
    EXPECT_THAT(numbers(cpus.read(now)), ElementsAre(0u));
    stat("cpu 9 0 0 9\ncpu0 9 0 0 9\ncpu1 9 0 0 9\n");
    EXPECT_THAT(numbers(cpus.read(now)), ElementsAre(0u, 1u)) << "read each time";
}

/// With sysfs, the file whose making is dear is read at its own pace, or for a CPU that is new.
TEST_F(Online, AskProcStatOnceInAWhile) {
    say("0");
    OnlineCpus cpus(sys_);
    const auto start = Clock::now();
    const auto busy_at = [&](Clock::time_point now) { return cpus.read(now).value().at(0).busy; };
    const auto first = busy_at(start);
    const auto until = Clock::now() + 50ms;
    while (Clock::now() < until) {
    }
    EXPECT_EQ(busy_at(start + OnlineCpus::stat_interval - 1ms), first);
    EXPECT_GE(busy_at(start + OnlineCpus::stat_interval), first);
}

}  // namespace
}  // namespace wcs_node_agent
