// SPDX-License-Identifier: Apache-2.0
#include "load/policy.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

const Clock::time_point now(1000s);

PolicySettings default_settings() {
    PolicySettings settings{.limits = {}, .recover = 0.95, .stale_after = 10s};
    for (const auto limit : all_limits) settings.limits[limit] = 100;
    settings.limits[Limit::cpu] = 90;
    return settings;
}

WcsState counts(double publishers, double subscribers, double hls,
                Clock::duration age = Clock::duration::zero()) {
    WcsState wcs;
    wcs.asked = true;
    wcs.publishers = {publishers, now - age};
    wcs.subscribers = {subscribers, now - age};
    wcs.hls = {hls, now - age};
    return wcs;
}

Rates rates(double cpu, double megabits_in, double megabits_out) {
    return {
        .bits_in = megabits_in * 1e6, .bits_out = megabits_out * 1e6, .cpu_utilisation = cpu / 100};
}

struct Row {
    const char* shows;
    Rates rates;
    WcsState wcs;
    NodeState state;
    int weight;
    const char* reason;
};

TEST(Policy, WeightIsWhatTheBottleneckLeaves) {
    const std::vector<Row> rows{
        {"idle", rates(0, 0, 0), counts(0, 0, 0), NodeState::up, 100, ""},
        {"a quarter of the subscribers", rates(0, 0, 0), counts(0, 25, 0), NodeState::up, 75, ""},
        {"the highest utilisation decides", rates(45, 10, 60), counts(20, 30, 40), NodeState::up,
         40, ""},
        {"cpu is held against its own limit", rates(45, 0, 0), counts(0, 0, 0), NodeState::up, 50,
         ""},
        {"rounded to the nearest", rates(0, 0, 33.4), counts(0, 0, 0), NodeState::up, 67, ""},
        {"half is rounded up", rates(0, 0, 12.5), counts(0, 0, 0), NodeState::up, 88, ""},
        {"just below the limit: at least 1", rates(0, 99.9, 0), counts(0, 0, 0), NodeState::up, 1,
         ""},
        {"at the limit: down", rates(0, 0, 0), counts(0, 100, 0), NodeState::down, 0,
         "subscribers 100 of 100"},
        {"over a limit of the agent's own figures", rates(93.14, 0, 0), counts(0, 0, 0),
         NodeState::down, 0, "cpu 93.1 of 90"},
        {"bandwidth in Mbit/s", rates(0, 0, 104.25), counts(0, 0, 0), NodeState::down, 0,
         "band_out 104.2 of 100"},
        {"of several the worst is named", rates(95, 300, 0), counts(200, 0, 0), NodeState::down, 0,
         "band_in 300.0 of 100"},
        {"unknown bandwidth is not checked",
         {.bits_in = {}, .bits_out = {}, .cpu_utilisation = 0.45},
         counts(0, 0, 0),
         NodeState::up,
         50,
         ""},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto verdict =
            Policy().decide(default_settings(), std::nullopt, row.rates, row.wcs, now);
        EXPECT_EQ(verdict.state, row.state);
        EXPECT_EQ(verdict.weight, row.weight);
        EXPECT_EQ(verdict.reason, row.reason);
    }
}

TEST(Policy, ALimitThatIsOffIsNotChecked) {
    auto settings = default_settings();
    settings.limits[Limit::subscribers].reset();
    const auto verdict =
        Policy().decide(settings, std::nullopt, rates(0, 0, 0), counts(0, 5000, 0), now);
    EXPECT_EQ(verdict.weight, 100);
    EXPECT_EQ(verdict.readings[Limit::subscribers].value, 5000) << "but its value is still told";
    EXPECT_FALSE(verdict.readings[Limit::subscribers].utilisation);

    const auto unchecked = Policy().decide({.limits = {}}, std::nullopt, {}, {}, now);
    EXPECT_EQ(unchecked.state, NodeState::up);
    EXPECT_EQ(unchecked.weight, 100);
    EXPECT_FALSE(unchecked.bottleneck);
}

TEST(Policy, ComesBackOnlyWithRoomToSpare) {
    Policy policy;
    const auto state_at = [&](double subscribers) {
        return policy
            .decide(default_settings(), std::nullopt, rates(0, 0, 0), counts(0, subscribers, 0),
                    now)
            .state;
    };
    EXPECT_EQ(state_at(99), NodeState::up);
    EXPECT_EQ(state_at(100), NodeState::down);
    EXPECT_EQ(state_at(97), NodeState::down) << "below the limit, but not below recover";
    EXPECT_EQ(state_at(95), NodeState::down) << "recover itself is not below recover";
    EXPECT_EQ(state_at(94), NodeState::up);
    EXPECT_EQ(state_at(97), NodeState::up) << "once back, the limit counts again";
}

struct StaleRow {
    const char* shows;
    WhenStale when_stale;
    Clock::duration age;
    double cpu;
    NodeState state;
    int weight;
    const char* reason;
};

TEST(Policy, StaleCounts) {
    const std::vector<StaleRow> rows{
        {"young counts hold", WhenStale::down, 10s, 0, NodeState::up, 60, ""},
        {"down", WhenStale::down, 11s, 0, NodeState::down, 0, "wcs: timed out"},
        {"drain", WhenStale::drain, 11s, 0, NodeState::drain, 0, "wcs: timed out"},
        {"hold: the last counts, however old", WhenStale::hold, 1h, 0, NodeState::up, 60, ""},
        {"hold goes on with the agent's own figures", WhenStale::hold, 1h, 72, NodeState::up, 20,
         ""},
        {"ignore: only the agent's own figures", WhenStale::ignore, 11s, 45, NodeState::up, 50, ""},
        {"an own limit that is reached comes before drain", WhenStale::drain, 11s, 90,
         NodeState::down, 0, "cpu 90.0 of 90"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        auto settings = default_settings();
        settings.when_stale = row.when_stale;
        auto wcs = counts(0, 40, 0, row.age);
        wcs.fault = WcsFault::timeout;
        wcs.fault_text = "timed out";
        const auto verdict =
            Policy().decide(settings, std::nullopt, rates(row.cpu, 0, 0), wcs, now);
        EXPECT_EQ(verdict.state, row.state);
        EXPECT_EQ(verdict.weight, row.weight);
        EXPECT_EQ(verdict.reason, row.reason);
    }
}

TEST(Policy, ACountThatWasNeverKnownIsStale) {
    auto wcs = counts(10, 10, 10);
    wcs.hls.reset();
    wcs.fault_text = "no streams_hls";
    auto settings = default_settings();
    EXPECT_EQ(Policy().decide(settings, std::nullopt, rates(0, 0, 0), wcs, now).state,
              NodeState::down);
    settings.when_stale = WhenStale::hold;
    EXPECT_EQ(Policy().decide(settings, std::nullopt, rates(0, 0, 0), wcs, now).weight, 90)
        << "hold has nothing to hold: the other limits decide";
    settings.when_stale = WhenStale::down;
    settings.limits[Limit::hls].reset();
    EXPECT_EQ(Policy().decide(settings, std::nullopt, rates(0, 0, 0), wcs, now).weight, 90)
        << "what no limit needs may be unknown";
}

TEST(Policy, RecoveryFromStaleNeedsNoRoomToSpare) {
    Policy policy;
    const auto settings = default_settings();
    EXPECT_EQ(
        policy.decide(settings, std::nullopt, rates(0, 0, 0), counts(0, 97, 0, 20s), now).state,
        NodeState::down);
    EXPECT_EQ(policy.decide(settings, std::nullopt, rates(0, 0, 0), counts(0, 97, 0), now).weight,
              3);
}

/// Over a fine grid: never outside 1..100 while up, never up at or over the limit, never rising
/// with load.
TEST(Policy, WeightFallsMonotonicallyWithLoad) {
    int last = 100;
    for (int step = 0; step <= 2000; ++step) {
        const double subscribers = step * 0.1;
        const auto verdict = Policy().decide(default_settings(), std::nullopt, rates(0, 0, 0),
                                             counts(0, subscribers, 0), now);
        SCOPED_TRACE(subscribers);
        EXPECT_EQ(verdict.state == NodeState::up, subscribers / 100 < 1);
        EXPECT_LE(verdict.weight, last);
        EXPECT_EQ(verdict.weight >= 1, verdict.state == NodeState::up);
        last = verdict.weight;
    }
}

TEST(Policy, AShareIsHeldAgainstTheLinksCapacity) {
    auto settings = default_settings();
    settings.limits[Limit::band_out] = ConfiguredLimit::share_of_link(80);
    const auto decide = [&](std::optional<double> capacity) {
        return Policy().decide(settings, capacity, rates(0, 0, 400), counts(0, 0, 0), now);
    };
    const auto known = decide(1000);
    EXPECT_EQ(known.readings[Limit::band_out].maximum, 800);
    EXPECT_EQ(known.readings[Limit::band_out].share, 80);
    EXPECT_EQ(known.readings[Limit::band_in].share, std::nullopt);
    EXPECT_EQ(known.weight, 50);

    const auto unknown = decide(std::nullopt);
    EXPECT_EQ(unknown.readings[Limit::band_out].maximum, std::nullopt);
    EXPECT_EQ(unknown.readings[Limit::band_out].share, 80) << "asked for, though not checked";
    EXPECT_EQ(unknown.weight, 100);
}

}  // namespace
}  // namespace wcs_node_agent
