// SPDX-License-Identifier: Apache-2.0
#include "kernel/cpu_times.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr auto when = Clock::time_point(1h);
constexpr std::uint64_t greatest = 18446744073709551615u;

TEST(CpuTimes, BusyIsAllButIdleAndWaiting) {
    CpuTimes times(100);
    const auto cpus = times.update(
        "cpu  100 0 0 0 0 0 0 0 0 0\n"
        "cpu0 10 20 30 4000 5000 6 7 8 9 9\n"
        "cpu12 1 0 0 0 0 0 0 0 0 0\n"
        "intr 99 1 2 3\n"
        "cpu13 is not looked for here\n",
        when, when);
    ASSERT_EQ(cpus.size(), 2u);
    EXPECT_EQ(cpus[0].cpu, 0u);
    EXPECT_EQ(cpus[0].busy, 810ms) << "user nice system irq softirq steal; guest is within user";
    EXPECT_EQ(cpus[0].steal, 80ms);
    EXPECT_EQ(cpus[1].cpu, 12u);
    EXPECT_EQ(cpus[1].busy, 10ms);
}

TEST(CpuTimes, OldOrBrokenTextGivesWhatItHas) {
    EXPECT_TRUE(parse_proc_stat("").empty());
    EXPECT_TRUE(parse_proc_stat("no processors here\n").empty());
    EXPECT_TRUE(parse_proc_stat("cpu4294967296 1 2\n").empty());
    EXPECT_EQ(parse_proc_stat("cpu1 1\ncpu1 2\ncpu0 3\n").size(), 1u) << "by number, once";
    CpuTimes times(100);
    const auto cpus = times.update("cpu0 1 2", when, when);
    ASSERT_EQ(cpus.size(), 1u);
    EXPECT_EQ(cpus[0].busy, 30ms) << "columns that are missing are 0";
}

/// One reading of cpu0 a quarter of a second after the one before, in ticks of 10 ms.
struct Step {
    std::uint64_t user, idle, steal;
    std::chrono::nanoseconds busy, stolen;
    const char* what;
};

TEST(CpuTimes, NeverFallNorFreezeWhateverTheColumnsSay) {
    constexpr Step steps[] = {
        {100, 900, 50, 1500ms, 500ms, "the first reading is where they start"},
        {110, 910, 55, 1650ms, 550ms, "all grow"},
        {120, 920, 10, 1750ms, 550ms, "steal fell, as after a live migration: user time counts"},
        {125, 930, 15, 1850ms, 600ms, "it goes on at once"},
        {130, 940, 1'000'000'000'000, 1900ms, 600ms, "10^12 ticks were not stolen in 250 ms"},
        {135, 950, 1'000'000'000'005, 2000ms, 650ms, "it goes on from there"},
        {140, 960, greatest, 2050ms, 650ms, "what no 64 bits hold in nanoseconds"},
        {145, 970, 0, 2100ms, 650ms, "back from there"},
        {150, 980, 10, 2250ms, 750ms, "it goes on at once"},
        {10'000, 990, 10, 2250ms, 750ms, "another CPU has this number now"},
        {10'025, 990, 10, 2500ms, 750ms, "and goes on"},
        {5, 10, 0, 2500ms, 750ms, "a third one, that was less busy"},
        {10, 30, 0, 2550ms, 750ms, "and goes on"},
        {38, 30, 5, 2880ms, 800ms, "a tick or so more than has passed: rounded columns"},
        {63, 30, 30, 2880ms, 1050ms, "twice as much: these times are not of one CPU"},
        {63, 30, 30, 2880ms, 1050ms, "the hypervisor has the CPU: its line stands still"},
        {63, 30, 30, 2880ms, 1050ms, "still"},
        {63, 30, 100, 3580ms, 1750ms, "and all that was stolen comes at once"},
    };
    CpuTimes times(100);
    auto now = when;
    for (const auto& [user, idle, steal, busy, stolen, what] : steps) {
        const auto stat = fmt::format("cpu0 {} 0 0 {} 0 0 0 {}\n", user, idle, steal);
        const auto cpus = times.update(stat, now, now);
        ASSERT_EQ(cpus.size(), 1u);
        EXPECT_EQ(cpus[0].busy, busy) << what;
        EXPECT_EQ(cpus[0].steal, stolen) << what;
        now += 250ms;
    }
}

TEST(CpuTimes, StartWithWhatCanHaveBeen) {
    for (const std::uint64_t steal : {std::uint64_t{1'000'000'000'000}, greatest}) {
        CpuTimes times(100);
        const auto cpus = times.update(fmt::format("cpu0 5 0 0 0 0 0 0 {}\n", steal), when, when);
        EXPECT_EQ(cpus.at(0).busy, 50ms);
        EXPECT_EQ(cpus.at(0).steal, 0ns);
    }
}

TEST(CpuTimes, CpusThatComeAndGoAreWhoTheyWere) {
    CpuTimes times(100);
    times.update("cpu0 100\ncpu1 200\n", when, when);
    EXPECT_EQ(times.update("cpu1 210\n", when + 1s, when + 1s).at(0).busy, 2100ms);
    const auto back = times.update("cpu0 100\ncpu1 220\n", when + 2s, when + 2s);
    EXPECT_EQ(back.at(0).busy, 1s);
    EXPECT_EQ(back.at(1).busy, 2200ms);
    const auto anew = times.update("cpu0 1\ncpu1 230\n", when + 3s, when + 3s);
    EXPECT_EQ(anew.at(0).busy, 1s) << "numbered anew by a container's /proc";
}

/// One reading of cpu0 a quarter of a second after the one before; idle time in ticks of 10 ms.
struct IdleStep {
    std::uint64_t user, idle, iowait;
    std::chrono::nanoseconds busy;
    const char* what;
};

TEST(CpuTimes, ByIdleTimeBusyIsWhatWasNotIdle) {
    constexpr IdleStep steps[] = {
        {100, 1000, 0, 1000ms, "the first reading is where they start"},
        {100, 1020, 0, 1050ms, "50 ms of which no tick knows"},
        {125, 1045, 0, 1050ms, "a thread in step with the tick, that hardly ran"},
        {125, 1069, 0, 1060ms, "idle time is cut to 10 ms"},
        {125, 1095, 0, 1060ms, "and catches up: busy time does not fall"},
        {125, 1120, 0, 1060ms, "nor rise until what was too much has passed"},
        {125, 1120, 25, 1060ms, "waiting for I/O is idle"},
        {125, 1120, 25, 1300ms,
         "busy throughout, or taken by the hypervisor, less what was too much"},
        {125, 1120, 25, 1550ms, "throughout"},
        {125, 1020, 25, 1550ms, "idle time fell, as after a live migration: it begins anew"},
        {125, 1035, 25, 1650ms, "and goes on"},
        {125, 9000, 25, 1650ms, "nobody is idle for longer than passes: it begins anew"},
        {125, 9010, 25, 1800ms, "and goes on"},
        {125, greatest, 25, 1800ms, "what no 64 bits hold in nanoseconds"},
        {125, 9020, 25, 1800ms, "back from there"},
        {125, 9030, 25, 1950ms, "and goes on"},
    };
    CpuTimes times(100);
    auto now = when;
    for (const auto& [user, idle, iowait, busy, what] : steps) {
        const auto stat = fmt::format("cpu0 {} 0 0 {} {} 0 0 0\n", user, idle, iowait);
        const auto cpus = times.update(stat, now, now, BusyBy::idle);
        ASSERT_EQ(cpus.size(), 1u);
        EXPECT_EQ(cpus[0].busy, busy) << what;
        now += 250ms;
    }
}

TEST(CpuTimes, ByIdleTimeACpuThatWasAwayWasNotBusy) {
    CpuTimes times(100);
    times.update("cpu0 0 0 0 100\ncpu1 0 0 0 100\n", when, when, BusyBy::idle);
    times.update("cpu0 0 0 0 200\n", when + 1s, when + 1s, BusyBy::idle);
    const auto back =
        times.update("cpu0 0 0 0 300\ncpu1 0 0 0 100\n", when + 2s, when + 2s, BusyBy::idle);
    EXPECT_EQ(back.at(1).busy, 0s);
    const auto on =
        times.update("cpu0 0 0 0 400\ncpu1 0 0 0 150\n", when + 3s, when + 3s, BusyBy::idle);
    EXPECT_EQ(on.at(0).busy, 0s);
    EXPECT_EQ(on.at(1).busy, 500ms);
}

TEST(CpuTimes, FromTicksToIdleTimeAndBack) {
    CpuTimes times(100);
    times.update("cpu0 100 0 0 100\n", when, when);
    EXPECT_EQ(times.update("cpu0 150 0 0 150\n", when + 1s, when + 1s).at(0).busy, 1500ms);
    const auto by_idle = [&](const char* stat, Clock::duration later) {
        return times.update(stat, when + later, when + later, BusyBy::idle).at(0).busy;
    };
    EXPECT_EQ(by_idle("cpu0 150 0 0 190\n", 2s), 2100ms);
    EXPECT_EQ(by_idle("cpu0 150 0 0 230\n", 3s), 2700ms);
    EXPECT_EQ(times.update("cpu0 160 0 0 320\n", when + 4s, when + 4s).at(0).busy, 2800ms);
}

TEST(CpuTimes, AReadingThatTookLongIsCredible) {
    CpuTimes times(100);
    times.update("cpu0 100\n", when, when + 1s);
    EXPECT_EQ(times.update("cpu0 280\n", when + 1s, when + 2s).at(0).busy, 2800ms);
}

}  // namespace
}  // namespace wcs_node_agent
