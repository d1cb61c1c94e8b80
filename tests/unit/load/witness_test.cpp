// SPDX-License-Identifier: Apache-2.0
#include "load/witness.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t wan = 2;
constexpr std::array<std::uint32_t, 1> selected{wan};
constexpr std::uint64_t frame = 1000;  // bytes

Traffic frames(std::uint64_t received, std::uint64_t sent) {
    return {.receive_bytes = received * frame,
            .receive_packets = received,
            .transmit_bytes = sent * frame,
            .transmit_packets = sent};
}

/// One interface, read four times a second.
struct Host {
    explicit Host(DeviceTraits counts_so = {}) : traits(counts_so) {}

    /// What is counted by both, unless said otherwise; then a reading.
    const InterfaceCounters* read(const Traffic& more_of_ours, const Traffic& more_of_device) {
        ours += more_of_ours;
        device += more_of_device;
        now += 250ms;
        reading = {};
        reading.at = now;
        if (is_counted)
            reading.interfaces.push_back(
                {.index = wan, .name = "wan0", .traffic = ours, .since = since});
        std::vector<DeviceReading> devices;
        for (const auto index : witness.due(selected))
            devices.push_back({.index = index,
                               .name = "wan0",
                               .traffic = earlier.value_or(device),
                               .since = device_since,
                               .traits = traits});
        const auto more =
            witness.correct(reading, devices, [&](std::uint32_t, const Direction& direction) {
                const bool is_sent = direction.bytes == &Traffic::transmit_bytes;
                return DeviceFlow{.counted = {device.*direction.bytes, device.*direction.packets},
                                  .queued = is_sent ? queued : Flow{}};
            });
        changes.insert(changes.end(), more.begin(), more.end());
        return reading.interfaces.empty() ? nullptr : &reading.interfaces.front();
    }

    const InterfaceCounters* read(const Traffic& more) { return read(more, more); }

    Witness witness;
    DeviceTraits traits;
    Clock::time_point now = Clock::time_point(100s);
    Clock::time_point since = now;
    Clock::time_point device_since = now;
    bool is_counted = true;
    Traffic ours = {};
    Traffic device = frames(7, 7);  // of the time before
    Flow queued = {};
    std::optional<Traffic> earlier;  // where the device is read well before ours
    RawCounters reading;
    std::vector<CounterChange> changes;
};

void keep_busy(Host& host, int readings, const Traffic& ours, const Traffic& device) {
    for (int i = 0; i < readings; ++i) host.read(ours, device);
}

TEST(Witness, WhatAgreesIsReportedAsTheSourceHasIt) {
    Host host;
    host.read({});
    for (std::uint64_t i = 1; i <= 40; ++i) {
        const auto* wan0 = host.read(frames(100, 50));
        EXPECT_EQ(wan0->traffic, frames(100 * i, 50 * i));
        EXPECT_EQ(wan0->counted_by, CountedBy::source);
    }
    EXPECT_TRUE(host.changes.empty());
}

TEST(Witness, ABlindSourceIsCorrectedAtOnceAndReplacedAfterASecond) {
    Host host;
    host.read({});
    host.read(frames(100, 100));
    for (std::uint64_t i = 1; i <= 4; ++i)
        EXPECT_EQ(host.read({}, frames(100, 0))->traffic, frames(100 + 100 * i, 100)) << i;
    EXPECT_TRUE(host.changes.empty());
    EXPECT_EQ(host.read({}, frames(100, 0))->counted_by, CountedBy::device);
    ASSERT_EQ(host.changes.size(), 1U);
    EXPECT_EQ(host.changes[0].direction->name, "received");
    EXPECT_EQ(host.changes[0].change.comparison, Comparison::blind);
    EXPECT_TRUE(host.changes[0].change.to_device);
    EXPECT_EQ(host.read({}, frames(100, 0))->traffic, frames(700, 100));
}

TEST(Witness, BothAgreeForFiveSecondsBeforeTheSourceCountsAgain) {
    Host host;
    host.read({});
    keep_busy(host, 6, {}, frames(100, 0));
    ASSERT_EQ(host.changes.size(), 1U);
    keep_busy(host, 20, frames(100, 0), frames(100, 0));
    EXPECT_EQ(host.changes.size(), 1U);
    keep_busy(host, 5, frames(100, 0), frames(100, 0));
    ASSERT_EQ(host.changes.size(), 2U);
    EXPECT_FALSE(host.changes[1].change.to_device);
    const auto* wan0 = host.read(frames(100, 0));
    EXPECT_EQ(wan0->counted_by, CountedBy::source);
    EXPECT_EQ(wan0->traffic, frames(3200, 0)) << "not one frame twice, not one lost";
}

TEST(Witness, WhileNothingComesNobodyIsBelievedAgain) {
    Host host;
    host.read({});
    keep_busy(host, 6, {}, frames(100, 0));
    keep_busy(host, 100, {}, {});
    EXPECT_EQ(host.read({})->counted_by, CountedBy::device);
}

TEST(Witness, AFewFramesThatNobodyElseCountsAddUp) {
    Host host;
    host.read({});
    for (int i = 0; i < 12; ++i) {  // one a second
        keep_busy(host, 3, {}, {});
        host.read({}, frames(1, 0));
    }
    EXPECT_EQ(host.read({})->traffic, frames(12, 0));
    EXPECT_EQ(host.read({})->counted_by, CountedBy::device);
}

TEST(Witness, WhatIsRedirectedBehindOursIsNotReported) {
    Host host;
    host.read({});
    for (int i = 0; i < 8; ++i) EXPECT_EQ(host.read(frames(0, 5000), {})->traffic, Traffic{}) << i;
    ASSERT_EQ(host.changes.size(), 1U);
    EXPECT_EQ(host.changes[0].change.comparison, Comparison::excess);
    // Every second frame, from now on.
    EXPECT_EQ(host.read(frames(0, 200), frames(0, 100))->traffic, frames(0, 100));
}

TEST(Witness, WhatWaitsInTheQueueIsNoDisagreement) {
    Host host;
    host.read({});
    host.queued = {3000 * frame, 3000};
    host.read(frames(0, 3100), frames(0, 100));
    keep_busy(host, 40, frames(0, 100), frames(0, 100));
    EXPECT_EQ(host.reading.interfaces.front().traffic, frames(0, 7100));
    for (std::uint64_t left = 3000; left > 0;) {
        left -= 300;
        host.queued = {left * frame, left};
        host.read({}, frames(0, 300));
    }
    EXPECT_EQ(host.reading.interfaces.front().traffic, frames(0, 7100)) << "all of it, once";
    EXPECT_TRUE(host.changes.empty());
}

TEST(Witness, WhatOursCountsWhileBothAreReadIsNotMissedLater) {
    Host host;
    host.read({});
    keep_busy(host, 3, frames(1000, 1000), frames(1000, 1000));
    host.earlier = host.device;
    *host.earlier += frames(970, 970);
    host.read(frames(1000, 1000));  // a comparison ends, and another begins
    host.earlier.reset();
    host.read(frames(50, 50));  // the device has 80 more
    keep_busy(host, 20, {}, {});
    EXPECT_EQ(host.reading.interfaces.front().traffic, frames(4050, 4050));
    EXPECT_TRUE(host.changes.empty());
}

TEST(Witness, ALeadOnceLendsNothingTwice) {
    Host host;
    host.read({});
    keep_busy(host, 3, frames(1000, 0), frames(1000, 0));
    host.earlier = host.device;
    *host.earlier += frames(970, 0);
    host.read(frames(1000, 0));
    host.earlier.reset();
    // From here on every eighth frame is hidden from ours.
    keep_busy(host, 8, frames(70, 0), frames(80, 0));
    ASSERT_EQ(host.changes.size(), 1U);
    EXPECT_EQ(host.changes[0].change.comparison, Comparison::blind);
    EXPECT_EQ(host.reading.interfaces.front().traffic, frames(4640, 0));
}

TEST(Witness, ACardThatTellsOnceIn2SecondsIsNoWitnessAgainstTrafficThatEnds) {
    for (const int readings : {1, 5, 8, 12, 16, 20, 27}) {
        Host host({.updates_late = true});
        host.read({});
        std::uint64_t untold = 0;
        const auto step = [&](int number, std::uint64_t count) {
            untold += count;
            const auto told = number % 8 == 7 ? std::exchange(untold, 0) : 0;
            host.read(frames(count, 0), frames(told, 0));
        };
        for (int i = 0; i < readings; ++i) step(i, 1000);
        for (int i = readings; i < readings + 40; ++i) step(i, i % 2 == 0 ? 0 : 1);
        EXPECT_TRUE(host.changes.empty()) << readings;
        EXPECT_EQ(host.reading.interfaces.front().traffic, host.ours) << readings;
    }
}

TEST(Witness, ACardMayBeLate) {
    Host host({.updates_late = true});
    host.read({});
    for (int second = 0; second < 10; ++second) {
        keep_busy(host, 7, frames(1000, 0), {});
        host.read(frames(1000, 0), frames(8000, 0));
    }
    EXPECT_EQ(host.reading.interfaces.front().traffic, frames(80'000, 0));
    EXPECT_TRUE(host.changes.empty());
}

TEST(Witness, OfACardWhatWasMissedIsReportedWithItsTime) {
    Host host({.updates_late = true});
    host.read({});
    keep_busy(host, 4, frames(1000, 0), frames(1000, 0));
    keep_busy(host, 10, {}, frames(1000, 0));
    EXPECT_TRUE(host.changes.empty());
    keep_busy(host, 1, {}, frames(1000, 0));
    ASSERT_EQ(host.changes.size(), 1U);
    EXPECT_EQ(host.reading.interfaces.front().traffic, frames(15'000, 0));
    EXPECT_EQ(host.changes[0].change.missed, (Flow{11'000 * frame, 11'000}));
    EXPECT_EQ(host.now - host.changes[0].change.since, 2750ms) << "within 3 s";
}

TEST(Witness, ACardWithoutCountersIsNoWitness) {
    Host host({.updates_late = true});
    host.device = {};
    host.read({});
    keep_busy(host, 40, frames(1000, 1000), {});
    EXPECT_EQ(host.reading.interfaces.front().traffic, frames(40'000, 40'000));
    EXPECT_TRUE(host.changes.empty());
}

TEST(Witness, AnInterfaceThatNobodyElseCountsIsCountedByItsDevice) {
    Host host;
    host.is_counted = false;
    EXPECT_EQ(host.read({}), nullptr);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(host.read({}, frames(100, 10)), nullptr) << "a moment";
    const auto* wan0 = host.read({}, frames(100, 10));
    ASSERT_TRUE(wan0);
    EXPECT_EQ(wan0->traffic, frames(400, 40));
    EXPECT_EQ(wan0->counted_by, CountedBy::device);
    EXPECT_EQ(wan0->name, "wan0");
    EXPECT_EQ(host.changes.size(), 2U);
}

TEST(Witness, AHookThatIsGoneIsReplacedAtOnceAndItsTotalsGoOn) {
    Host host;
    host.read({});
    keep_busy(host, 4, frames(100, 100), frames(100, 100));
    host.is_counted = false;
    const auto* wan0 = host.read({}, frames(100, 100));
    ASSERT_TRUE(wan0);
    EXPECT_EQ(wan0->traffic, frames(500, 500));
    host.is_counted = true;
    host.ours = {};  // it begins anew
    host.since = host.now;
    keep_busy(host, 30, frames(100, 100), frames(100, 100));
    EXPECT_EQ(host.reading.interfaces.front().traffic, frames(3500, 3500));
    EXPECT_EQ(host.reading.interfaces.front().counted_by, CountedBy::source);
    EXPECT_EQ(host.reading.interfaces.front().since, Clock::time_point(100s)) << "without a break";
}

TEST(Witness, ADeviceThatBeganAnewIsNoDisagreement) {
    Host host;
    host.read({});
    keep_busy(host, 8, frames(100, 0), frames(100, 0));
    host.device = {};
    host.device_since = host.now;
    host.read(frames(100, 0), {});
    keep_busy(host, 20, frames(100, 0), frames(100, 0));
    EXPECT_EQ(host.reading.interfaces.front().traffic, frames(2900, 0));
    EXPECT_TRUE(host.changes.empty());
}

TEST(Witness, CountersThatFallCostNothingThatWasReported) {
    Host host;
    host.read({});
    keep_busy(host, 8, frames(100, 0), frames(100, 0));
    host.device = {};
    keep_busy(host, 2, frames(100, 0), frames(100, 0));
    host.ours = {};
    keep_busy(host, 2, frames(100, 0), frames(100, 0));
    EXPECT_GE(host.reading.interfaces.front().traffic.receive_packets, 1100U);
    EXPECT_TRUE(host.changes.empty());
}

TEST(Witness, WhatIsNotSelectedAnyMoreIsTheSourcesAgain) {
    Host host;
    host.read({});
    keep_busy(host, 8, {}, frames(100, 0));
    ASSERT_EQ(host.reading.interfaces.front().counted_by, CountedBy::device);
    host.witness.due({});
    RawCounters reading;
    reading.at = host.now + 250ms;
    reading.interfaces.push_back({.index = wan, .name = "wan0", .traffic = frames(5, 0)});
    host.witness.correct(reading, {}, nullptr);
    EXPECT_EQ(reading.interfaces.front().traffic, frames(805, 0)) << "it does not fall";
    EXPECT_EQ(reading.interfaces.front().counted_by, CountedBy::source);
}

TEST(Witness, ManyInterfacesAreReadByTurnsWithinASecond) {
    Witness witness;
    std::vector<std::uint32_t> many(1000);
    std::ranges::generate(many, [index = 1U]() mutable { return index++; });
    RawCounters reading;
    reading.at = Clock::time_point(100s);
    std::vector<DeviceReading> devices;
    for (const auto index : many) {
        reading.interfaces.push_back({.index = index, .name = "any"});
        devices.push_back({.index = index, .name = "any"});
    }
    EXPECT_EQ(witness.due(many).size(), 1000U) << "all are new";
    witness.correct(reading, devices, nullptr);
    std::vector<std::uint32_t> seen;
    for (int i = 0; i < 4; ++i)
        for (const auto index : witness.due(many)) seen.push_back(index);
    EXPECT_LT(seen.size(), 1100U);
    std::ranges::sort(seen);
    const auto repeated = std::ranges::unique(seen);
    seen.erase(repeated.begin(), repeated.end());
    EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace wcs_node_agent
