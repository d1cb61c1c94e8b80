// SPDX-License-Identifier: Apache-2.0
#include "load/cpu_window.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

RawCounters reading(Clock::duration at, std::vector<CpuCounters> cpus) {
    return {.at = Clock::time_point(100s) + at, .interfaces = {}, .cpus = std::move(cpus)};
}

CpuCounters cpu(unsigned number, std::chrono::nanoseconds busy) {
    return {.cpu = number, .busy = busy};
}

Rates load_of(const CpuWindow& window) {
    Rates rates;
    window.set(rates);
    return rates;
}

struct CpuRow {
    const char* shows;
    std::vector<RawCounters> readings;
    double utilisation;
};

TEST(CpuWindow, BusyTimeToUtilisation) {
    const std::vector<CpuRow> rows{
        {"the mean over CPUs",
         {reading(0s, {cpu(0, 0s), cpu(1, 0s)}), reading(1s, {cpu(0, 1s), cpu(1, 0s)})},
         0.5},
        {"a CPU that goes offline leaves the mean",
         {reading(0s, {cpu(0, 0s), cpu(1, 0s)}), reading(1s, {cpu(0, 200ms)}),
          reading(2s, {cpu(0, 400ms)})},
         0.2},
        {"a CPU that comes online counts from its second reading",
         {reading(0s, {cpu(0, 0s)}), reading(1s, {cpu(0, 0s), cpu(1, 500s)}),
          reading(2s, {cpu(0, 0s), cpu(1, 501s)})},
         1.0 / 3},
        {"ticks that overshoot stay within what has passed",
         {reading(0s, {cpu(0, 0s)}), reading(100ms, {cpu(0, 110ms)})},
         1},
        {"a count that goes back is no negative load",
         {reading(0s, {cpu(0, 5s)}), reading(1s, {cpu(0, 4s)})},
         0},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        CpuWindow window(row.readings.back().at - row.readings.front().at);
        for (const auto& one : row.readings) window.add(one);
        EXPECT_DOUBLE_EQ(load_of(window).cpu_utilisation.value(), row.utilisation);
    }
}

TEST(CpuWindow, CpuTimeThatIsMissingIsNotTakenForNone) {
    CpuWindow window(2s);
    window.add(reading(0s, {cpu(0, 0s)}));
    window.add(reading(1s, {cpu(0, 1s)}));
    window.add(reading(2s, {cpu(0, 2s)}));
    EXPECT_EQ(load_of(window).cpu_utilisation, 1);
    window.add(reading(3s, {}));
    EXPECT_FALSE(load_of(window).cpu_utilisation) << "a part of the window";
    window.add(reading(4s, {cpu(0, 4s)}));
    window.add(reading(5s, {cpu(0, 5s)}));
    EXPECT_FALSE(load_of(window).cpu_utilisation) << "the gap is still in it";
    window.add(reading(6s, {cpu(0, 6s)}));
    EXPECT_EQ(load_of(window).cpu_utilisation, 1);
}

/// A burst fills 2 s of a window of 10 s.
TEST(CpuWindow, TheMeanIsOverAllOfIt) {
    CpuWindow window(10s);
    for (int ms = 0; ms <= 15'000; ms += 250)
        window.add(reading(ms * 1ms, {cpu(0, std::clamp((ms - 12'000) * 1ms, 0ms, 2000ms))}));
    EXPECT_DOUBLE_EQ(load_of(window).cpu_utilisation.value(), 0.2);
    window.set_window(2s);
    window.add(reading(15'250ms, {cpu(0, 2s)}));
    EXPECT_DOUBLE_EQ(load_of(window).cpu_utilisation.value(), 0.375) << "750 ms of the burst";
}

TEST(CpuWindow, LessThanTheWindowIsNoMeanYet) {
    CpuWindow window(2s);
    EXPECT_FALSE(load_of(window).so_far.cpu_utilisation);
    window.add(reading(0s, {cpu(0, 0s)}));
    EXPECT_FALSE(load_of(window).so_far.cpu_utilisation) << "one reading is no load";
    window.add(reading(1s, {cpu(0, 500ms)}));
    EXPECT_FALSE(load_of(window).cpu_utilisation);
    EXPECT_EQ(load_of(window).so_far.cpu_utilisation, 0.5);
    window.add(reading(2s, {cpu(0, 500ms)}));
    EXPECT_EQ(load_of(window).cpu_utilisation, 0.25);
    EXPECT_FALSE(load_of(window).so_far.cpu_utilisation);
    window.add(reading(2s, {cpu(0, 2s)}));
    EXPECT_EQ(load_of(window).cpu_utilisation, 0.25) << "the same moment again";
}

}  // namespace
}  // namespace wcs_node_agent
