// SPDX-License-Identifier: Apache-2.0
/// True CPU time, against threads whose load is known.
#include "kernel/ebpf_probe.hpp"
#include "pinned_thread.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

void spin() {}

/// The share of an interval that one CPU was busy.
double utilisation(EbpfProbe& probe, unsigned cpu, std::chrono::nanoseconds interval) {
    const auto before = probe.read().value();
    std::this_thread::sleep_for(interval);
    const auto after = probe.read().value();
    return Seconds(after.cpus.at(cpu).busy - before.cpus.at(cpu).busy) /
           Seconds(after.at - before.at);
}

TEST(Cpu, APinnedSpinnerIsBusyThroughout) {
    const auto probe = EbpfProbe::load().value();
    const PinnedThread spinner(0, spin);
    spinner.wait_until_it_runs();
    EXPECT_GE(utilisation(*probe, 0, 500ms), 0.98);
}

TEST(Cpu, ASpinnerThatWasThereBeforeTheProgramsIsSeen) {
    const PinnedThread spinner(0, spin);
    spinner.wait_until_it_runs();
    const auto probe = EbpfProbe::load().value();
    std::this_thread::sleep_for(100ms);  // for the first switch, from which on a CPU counts
    EXPECT_GE(utilisation(*probe, 0, 500ms), 0.98);
}

/// 3 ms of each 10: the thread measures itself how long it burned. Whatever else runs on that CPU
/// comes on top, so the nearest of many half seconds is the figure, and none may be below the
/// truth.
TEST(Cpu, AThreadThatBurnsAKnownShareIsSeen) {
    const auto probe = EbpfProbe::load().value();
    std::atomic<std::chrono::nanoseconds::rep> burned = 0;
    const PinnedThread thread(1, [&burned] {
        const auto begun = Clock::now();
        while (Clock::now() - begun < 3ms) {
        }
        burned += (Clock::now() - begun).count();
        std::this_thread::sleep_for(7ms);
    });
    double nearest = 1;
    for (int attempt = 0; attempt < 40 && nearest >= 0.02; ++attempt) {
        const auto before = burned.load();
        const auto begun = Clock::now();
        const auto seen = utilisation(*probe, 1, 500ms);
        const auto truth =
            Seconds(std::chrono::nanoseconds(burned - before)) / Seconds(Clock::now() - begun);
        EXPECT_GT(seen, truth - 0.02);  // a burn may lie across either end
        nearest = std::min(nearest, seen - truth);
    }
    EXPECT_LT(nearest, 0.02);
}

TEST(Cpu, AnIdleCpuIsIdle) {
    const auto probe = EbpfProbe::load().value();
    // Others may run on this machine: the quietest of many half seconds is the CPU's own figure.
    double quietest = 1;
    for (int attempt = 0; attempt < 40 && quietest >= 0.05; ++attempt)
        quietest = std::min(quietest, utilisation(*probe, 1, 500ms));
    EXPECT_LT(quietest, 0.05);
}

TEST(Cpu, EveryOnlineCpuIsListed) {
    const auto probe = EbpfProbe::load().value();
    EXPECT_EQ(probe->read()->cpus.size(),
              static_cast<std::size_t>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

/// An interval that ends between the reading of the counter and of the clock was reported too long:
/// by so little that the next reading would go back, and a reader of counters take it for a
/// restart.
TEST(Cpu, BusyTimeNeverGoesBack) {
    const auto probe = EbpfProbe::load().value();
    const PinnedThread restless(1, [] { std::this_thread::sleep_for(20us); });
    auto before = probe->read().value();
    for (int reading = 0; reading < 100'000; ++reading) {
        auto after = probe->read().value();
        for (std::size_t cpu = 0; cpu < before.cpus.size(); ++cpu) {
            ASSERT_GE(after.cpus[cpu].busy, before.cpus[cpu].busy);
            ASSERT_LE(after.cpus[cpu].busy - before.cpus[cpu].busy, 10s) << "absurd";
        }
        before = std::move(after);
    }
}

}  // namespace
}  // namespace wcs_node_agent
