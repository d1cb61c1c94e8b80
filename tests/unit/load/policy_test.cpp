// SPDX-License-Identifier: Apache-2.0
#include "load/policy.hpp"

#include "load/weigher.hpp"
#include "policy_inputs.hpp"

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

/// That the bottleneck leaves.
int weight_of(const Verdict& verdict) {
    const NodeLoad load{.at = now, .state = verdict.state, .utilisation = utilisations_of(verdict)};
    return Weigher().weigh({.policy = WeightPolicy::proportional}, 100, load).percent;
}

struct Row {
    const char* shows;
    Measured measured;
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
        {"unknown bandwidth is not checked, and the reply says so",
         {.rates = {{.bits_in = {}, .bits_out = {}, .cpu_utilisation = 0.45}},
          .bandwidth_unknown = "eth1 not counted"},
         counts(0, 0, 0),
         NodeState::up,
         50,
         "band_in, band_out unknown: eth1 not counted"},
        {"what is known of a bandwidth and over the limit is enough",
         {.rates = {{.bits_in = {}, .bits_out = {}, .cpu_utilisation = 0.45},
                    {.bits_in = 5e6, .bits_out = 120e6, .cpu_utilisation = {}}},
          .bandwidth_unknown = "eth1 not counted"},
         counts(0, 0, 0),
         NodeState::down,
         0,
         "band_out at least 120.0 of 100"},
        {"what is known of a bandwidth is no less than it says",
         {.rates = {{.bits_in = {}, .bits_out = {}, .cpu_utilisation = 0.45},
                    {.bits_in = 5e6, .bits_out = 60e6, .cpu_utilisation = {}}},
          .bandwidth_unknown = "eth1 not counted"},
         counts(0, 0, 0),
         NodeState::up,
         40,
         "band_in, band_out unknown: eth1 not counted"},
        {"less than the window makes a weight",
         {.rates = {{}, {}, means(45, 10, 60)}},
         counts(0, 0, 0),
         NodeState::up,
         40,
         ""},
        {"nor is it the reason of a node that another limit takes down",
         {.rates = {{.bits_in = {}, .bits_out = {}, .cpu_utilisation = 0.99},
                    {},
                    {.bits_in = 0, .bits_out = 300e6, .cpu_utilisation = {}}}},
         counts(0, 0, 0),
         NodeState::down,
         0,
         "cpu 99.0 of 90"},
        {"less than the window never takes a node down",
         {.rates = {{}, {}, means(45, 10, 300)}},
         counts(0, 0, 0),
         NodeState::up,
         1,
         ""},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto verdict = Policy().decide(default_settings(), row.measured, row.wcs, now);
        EXPECT_EQ(verdict.state, row.state);
        EXPECT_EQ(weight_of(verdict), row.weight);
        EXPECT_EQ(verdict.reason, row.reason);
    }
}

TEST(Policy, ALimitThatIsOffIsNotChecked) {
    auto settings = default_settings();
    named(settings.limits, "subscribers").maximum.reset();
    const auto verdict = Policy().decide(settings, rates(0, 0, 0), counts(0, 5000, 0), now);
    EXPECT_EQ(weight_of(verdict), 100);
    EXPECT_EQ(named(verdict.readings, "subscribers").value, 5000) << "but its value is still told";
    EXPECT_FALSE(named(verdict.readings, "subscribers").utilisation);

    const auto unchecked = Policy().decide({.limits = {}}, {}, {}, now);
    EXPECT_EQ(unchecked.state, NodeState::up);
    EXPECT_EQ(weight_of(unchecked), 100);
    EXPECT_EQ(unchecked.bottleneck, "");
}

TEST(Policy, ComesBackOnlyWithRoomToSpareAndSaysSo) {
    struct RecoverRow {
        const char* shows;
        double subscribers;
        NodeState state;
        const char* reason;
    };
    const std::vector<RecoverRow> rows{
        {"not down yet", 49, NodeState::up, ""},
        {"at the limit", 50, NodeState::down, "subscribers 50 of 50"},
        {"below the limit, but not below recover", 49, NodeState::down,
         "subscribers 49 of 50; up again below 47.5"},
        {"recover itself is not below recover", 47.5, NodeState::down,
         "subscribers 48 of 50; up again below 47.5"},
        {"over the limit again", 51, NodeState::down, "subscribers 51 of 50"},
        {"below recover", 47, NodeState::up, ""},
        {"once back, the limit counts again", 49, NodeState::up, ""},
    };
    Policy policy;
    auto settings = default_settings();
    named(settings.limits, "subscribers").maximum = 50;
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto verdict =
            policy.decide(settings, rates(0, 0, 0), counts(0, row.subscribers, 0), now);
        EXPECT_EQ(verdict.state, row.state);
        EXPECT_EQ(verdict.reason, row.reason);
        const auto below = named(verdict.readings, "subscribers").up_again_below;
        EXPECT_EQ(below, row.state == NodeState::down ? std::optional(47.5) : std::nullopt);
        EXPECT_EQ(named(verdict.readings, "publishers").up_again_below, std::nullopt);
    }
}

struct StaleRow {
    const char* shows;
    bool silent;  // else WCS answers what cannot be read
    WhenStale decides;
    Clock::duration age;
    double cpu;
    NodeState state;
    int weight;
    const char* reason;
};

TEST(Policy, StaleCounts) {
    constexpr bool silent = true;
    constexpr bool unreadable = false;
    const char* const unknown = "publishers, subscribers, hls unknown: wcs: no answer";
    const std::vector<StaleRow> rows{
        {"young counts hold", silent, WhenStale::down, 10s, 0, NodeState::up, 60, ""},
        {"down", silent, WhenStale::down, 11s, 0, NodeState::down, 0, "wcs: no answer"},
        {"drain", silent, WhenStale::drain, 11s, 0, NodeState::drain, 0, "wcs: no answer"},
        {"hold: the last counts, however old", silent, WhenStale::hold, 1h, 0, NodeState::up, 60,
         unknown},
        {"hold goes on with the agent's own figures", silent, WhenStale::hold, 1h, 72,
         NodeState::up, 20, unknown},
        {"ignore: only the agent's own figures", silent, WhenStale::ignore, 11s, 18, NodeState::up,
         80, unknown},
        {"an own limit that is reached comes before drain", silent, WhenStale::drain, 11s, 90,
         NodeState::down, 0, "cpu 90.0 of 90"},
        {"what answers holds as well", unreadable, WhenStale::down, 10s, 0, NodeState::up, 60, ""},
        {"then when_unreadable decides: ignore", unreadable, WhenStale::ignore, 11s, 18,
         NodeState::up, 80, unknown},
        {"then when_unreadable decides: down", unreadable, WhenStale::down, 11s, 0, NodeState::down,
         0, "wcs: no answer"},
        {"then when_unreadable decides: drain", unreadable, WhenStale::drain, 11s, 0,
         NodeState::drain, 0, "wcs: no answer"},
        {"then when_unreadable decides: hold", unreadable, WhenStale::hold, 1h, 0, NodeState::up,
         60, unknown},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        auto settings = default_settings();
        settings.when_stale = row.silent ? row.decides : WhenStale::ignore;
        settings.when_unreadable = row.silent ? WhenStale::ignore : row.decides;
        auto wcs = counts(0, 40, 0, row.age);
        wcs.silent = row.silent;
        wcs.fault_text = "no answer";
        const auto verdict = Policy().decide(settings, rates(row.cpu, 0, 0), wcs, now);
        EXPECT_EQ(verdict.state, row.state);
        EXPECT_EQ(weight_of(verdict), row.weight);
        EXPECT_EQ(verdict.reason, row.reason);
    }
}

TEST(Policy, ACountThatWasNeverKnown) {
    auto wcs = counts(10, 10, 10);
    wcs.hls.reset();
    wcs.fault_text = "no streams_hls";
    auto settings = default_settings();
    const auto decide = [&] { return Policy().decide(settings, rates(0, 0, 0), wcs, now); };
    EXPECT_EQ(weight_of(decide()), 90) << "the other limits go on";
    EXPECT_EQ(decide().reason, "hls unknown: wcs: no streams_hls");
    settings.when_unreadable = WhenStale::down;
    EXPECT_EQ(decide().state, NodeState::down);
    settings.when_unreadable = WhenStale::hold;
    EXPECT_EQ(weight_of(decide()), 90) << "hold has nothing to hold: the other limits decide";
    settings.when_unreadable = WhenStale::down;
    named(settings.limits, "hls").maximum.reset();
    EXPECT_EQ(weight_of(decide()), 90) << "what no limit needs may be unknown";
    EXPECT_EQ(decide().reason, "");
}

TEST(Policy, WhatIsKnownOfACountIsEnoughForDown) {
    struct PartRow {
        const char* shows;
        std::optional<double> held;
        double known;
        NodeState state;
        int weight;
        const char* reason;
    };
    const std::vector<PartRow> rows{
        {"a part over the limit", {}, 500, NodeState::down, 0, "subscribers at least 500 of 100"},
        {"a part below it makes a weight",
         {},
         60,
         NodeState::up,
         40,
         "subscribers unknown: wcs: no streams_rtsp_out"},
        {"more than the last whole count", 20, 60, NodeState::up, 40, ""},
        {"less than the last whole count", 70, 60, NodeState::up, 30, ""},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        auto wcs = counts(0, 0, 0);
        wcs.subscribers.reset();
        if (row.held) wcs.subscribers = {*row.held, now - 1s};
        wcs.fault_text = "no streams_rtsp_out";
        wcs.page_at = now;
        wcs.counts.subscribers_at_least = row.known;
        const auto decide = [&] {
            return Policy().decide(default_settings(), rates(0, 0, 0), wcs, now);
        };
        EXPECT_EQ(decide().state, row.state);
        EXPECT_EQ(weight_of(decide()), row.weight);
        EXPECT_EQ(decide().reason, row.reason);
        wcs.page_at = now - 11s;
        wcs.subscribers.reset();
        EXPECT_EQ(weight_of(decide()), 100) << "an old page is no evidence";
    }
}

TEST(Policy, AMeasuredValueHoldsWhileItIsUnknown) {
    auto settings = default_settings();
    Policy policy;
    const Measured unknown{.rates = {{.bits_in = 0, .bits_out = {}, .cpu_utilisation = 0}},
                           .bandwidth_unknown = "eth0 not counted"};
    const auto decide = [&](const Measured& measured, Clock::duration after) {
        const auto at = now + after;
        auto wcs = counts(0, 0, 0);
        wcs.publishers->at = wcs.subscribers->at = wcs.hls->at = at;
        return policy.decide(settings, measured, wcs, at);
    };
    EXPECT_EQ(weight_of(decide(rates(0, 0, 70), 0s)), 30);
    EXPECT_EQ(weight_of(decide(unknown, 10s)), 30);
    EXPECT_EQ(decide(unknown, 10s).reason, "");
    EXPECT_EQ(weight_of(decide(unknown, 11s)), 100);
    EXPECT_EQ(decide(unknown, 11s).reason, "band_out unknown: eth0 not counted");
    settings.when_unreadable = WhenStale::hold;
    EXPECT_EQ(weight_of(decide(unknown, 1h)), 30);
    settings.when_unreadable = WhenStale::drain;
    EXPECT_EQ(decide(unknown, 1h).state, NodeState::drain);
    EXPECT_EQ(decide(unknown, 1h).reason, "band_out unknown: eth0 not counted");
    EXPECT_EQ(weight_of(decide(rates(0, 0, 70), 1h)), 30);
}

/// As after a reload of the window: what took the node down is not over while it is measured anew.
TEST(Policy, ANodeThatIsDownStaysSoOnLessThanAWindow) {
    Policy policy;
    auto settings = default_settings();
    settings.stale_after = 1s;
    const auto decide = [&](const Measured& measured, Clock::duration after) {
        auto wcs = counts(0, 0, 0);
        wcs.publishers->at = wcs.subscribers->at = wcs.hls->at = now + after;
        return policy.decide(settings, measured, wcs, now + after).state;
    };
    EXPECT_EQ(decide(rates(0, 0, 120), 0s), NodeState::down);
    EXPECT_EQ(decide({.rates = {means(0, 0, 0), {}, {}}}, 0s), NodeState::up);
    EXPECT_EQ(decide(rates(0, 0, 120), 0s), NodeState::down);
    const Measured over{.rates = {{}, {}, means(0, 0, 110)}};
    EXPECT_EQ(decide(over, 2s), NodeState::down);
    const Measured below{.rates = {{}, {}, means(0, 0, 50)}};
    EXPECT_EQ(decide(below, 3s), NodeState::up);
    EXPECT_EQ(decide(over, 4s), NodeState::up);
}

TEST(Policy, RecoveryFromStaleNeedsNoRoomToSpare) {
    Policy policy;
    const auto settings = default_settings();
    auto silent = counts(0, 97, 0, 20s);
    silent.silent = true;
    EXPECT_EQ(policy.decide(settings, rates(0, 0, 0), silent, now).state, NodeState::down);
    EXPECT_EQ(weight_of(policy.decide(settings, rates(0, 0, 0), counts(0, 97, 0), now)), 3);
}

/// Over a fine grid: never outside 1..100 while up, never up at or over the limit, never rising
/// with load.
TEST(Policy, WeightFallsMonotonicallyWithLoad) {
    int last = 100;
    for (int step = 0; step <= 2000; ++step) {
        const double subscribers = step * 0.1;
        const auto verdict =
            Policy().decide(default_settings(), rates(0, 0, 0), counts(0, subscribers, 0), now);
        SCOPED_TRACE(subscribers);
        EXPECT_EQ(verdict.state == NodeState::up, subscribers / 100 < 1);
        EXPECT_LE(weight_of(verdict), last);
        EXPECT_EQ(weight_of(verdict) >= 1, verdict.state == NodeState::up);
        last = weight_of(verdict);
    }
}

TEST(Policy, AShareIsHeldAgainstTheLinksCapacity) {
    auto settings = default_settings();
    named(settings.limits, "band_out").maximum = LimitMaximum::share_of_link(80);
    const auto decide = [&](std::optional<double> capacity) {
        auto measured = rates(0, 0, 400);
        measured.link_capacity = capacity;
        return Policy().decide(settings, measured, counts(0, 0, 0), now);
    };
    const auto known = decide(1000);
    EXPECT_EQ(named(known.readings, "band_out").maximum, 800);
    EXPECT_EQ(named(known.readings, "band_out").share, 80);
    EXPECT_EQ(named(known.readings, "band_in").share, std::nullopt);
    EXPECT_EQ(weight_of(known), 50);

    const auto unknown = decide(std::nullopt);
    EXPECT_EQ(named(unknown.readings, "band_out").maximum, std::nullopt);
    EXPECT_EQ(named(unknown.readings, "band_out").share, 80) << "asked for, though not checked";
    EXPECT_EQ(weight_of(unknown), 100);
    EXPECT_EQ(unknown.reason, "band_out unknown: the link's speed is not known");
    settings.when_unreadable = WhenStale::down;
    EXPECT_EQ(decide(std::nullopt).state, NodeState::down);
}

/// An own limit, hard unless it is said to be soft.
Limit own(const char* name, double maximum, std::vector<std::string> keys,
          std::vector<std::string> of = {}, bool soft = false) {
    return {.name = name,
            .value = LimitValue::page,
            .unit = of.empty() ? LimitUnit::number : LimitUnit::percent,
            .soft = soft,
            .maximum = maximum,
            .keys = std::move(keys),
            .of = std::move(of)};
}

WcsState page(std::map<std::string, double, std::less<>> numbers) {
    auto wcs = counts(0, 0, 0);
    WcsPage page;
    page.numbers = std::move(numbers);
    wcs.page = std::make_shared<const WcsPage>(std::move(page));
    wcs.page_at = now;
    return wcs;
}

Measured lossy(double share, double cpu = 0) {
    auto measured = rates(cpu, 0, 0);
    measured.rates.udp_loss = share;
    return measured;
}

TEST(Policy, ASoftLimitLowersTheWeightAndNeverTakesTheNodeOut) {
    struct SoftRow {
        const char* shows;
        Measured measured;
        NodeState state;
        int weight;
        const char* reason;
        const char* bottleneck;
    };
    auto so_far = rates(0, 0, 0);
    so_far.rates.so_far.udp_loss = 0.02;
    auto unknown = rates(9, 0, 0);
    unknown.udp_unknown = "/proc/net/snmp: Permission denied";
    const std::vector<SoftRow> rows{
        {"below its maximum it counts like any other", lossy(0.006, 9), NodeState::up, 40, "",
         "udp_loss"},
        {"at it", lossy(0.01), NodeState::up, 1, "udp_loss 1.0 of 1", "udp_loss"},
        {"over it", lossy(0.023), NodeState::up, 1, "udp_loss 2.3 of 1", "udp_loss"},
        {"far over it", lossy(1), NodeState::up, 1, "udp_loss 100.0 of 1", "udp_loss"},
        {"over less than the window", so_far, NodeState::up, 1, "udp_loss 2.0 of 1", "udp_loss"},
        {"a hard one beside it decides", lossy(1, 95), NodeState::down, 0, "cpu 95.0 of 90", "cpu"},
        {"unknown it is not checked", unknown, NodeState::up, 90,
         "udp_loss unknown: /proc/net/snmp: Permission denied", "cpu"},
    };
    for (const auto decides :
         {WhenStale::ignore, WhenStale::hold, WhenStale::drain, WhenStale::down})
        for (const auto& row : rows) {
            SCOPED_TRACE(row.shows);
            auto settings = default_settings();
            settings.limits = default_limits();
            settings.when_stale = settings.when_unreadable = decides;
            const auto verdict = Policy().decide(settings, row.measured, counts(0, 0, 0), now);
            EXPECT_EQ(verdict.state, row.state);
            EXPECT_EQ(weight_of(verdict), row.weight);
            EXPECT_EQ(verdict.reason, row.reason);
            EXPECT_EQ(verdict.bottleneck, row.bottleneck);
        }
}

TEST(Policy, PortsAreCheckedWhereThePageHasThem) {
    struct PortsRow {
        const char* shows;
        std::map<std::string, double, std::less<>> numbers;
        NodeState state;
        int weight;
        const char* reason;
        bool checked;
    };
    const std::vector<PortsRow> rows{
        {"half of them in use, those in quarantine too",
         {{"ports_media_busy", 40}, {"ports_media_quarantine", 10}, {"ports_media_free", 50}},
         NodeState::up,
         47,
         "",
         true},
        {"used up",
         {{"ports_media_busy", 94}, {"ports_media_quarantine", 2}, {"ports_media_free", 4}},
         NodeState::down,
         0,
         "ports 96.0 of 95",
         true},
        {"a page without them", {{"connections", 3}}, NodeState::up, 100, "", false},
        {"or without one of the three",
         {{"ports_media_busy", 100}, {"ports_media_free", 0}},
         NodeState::up,
         100,
         "",
         false},
        {"no ports at all",
         {{"ports_media_busy", 0}, {"ports_media_quarantine", 0}, {"ports_media_free", 0}},
         NodeState::up,
         100,
         "",
         false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        auto settings = default_settings();
        settings.when_unreadable = WhenStale::down;
        auto measured = rates(0, 0, 0);
        const auto verdict = Policy().decide(settings, measured, page(row.numbers), now);
        EXPECT_EQ(verdict.state, row.state);
        EXPECT_EQ(weight_of(verdict), row.weight);
        EXPECT_EQ(verdict.reason, row.reason);
        EXPECT_EQ(named(verdict.readings, "ports").maximum.has_value(), row.checked);
        EXPECT_EQ(named(verdict.readings, "ports").unknown, "");
    }
}

/// Without WCS they are as unknown as its counts.
TEST(Policy, PortsThatWereThereGoStale) {
    auto settings = default_settings();
    settings.limits = {named(settings.limits, "ports")};
    auto wcs =
        page({{"ports_media_busy", 40}, {"ports_media_quarantine", 10}, {"ports_media_free", 50}});
    wcs.silent = true;
    wcs.fault = WcsFault::timeout;
    wcs.fault_text = "no answer";
    wcs.page_pause = 5s;
    const auto decide = [&](Clock::duration after) {
        return Policy().decide(settings, {}, wcs, now + after);
    };
    EXPECT_EQ(weight_of(decide(15s)), 47) << "the time in which this process did not run is no age";
    EXPECT_EQ(decide(16s).state, NodeState::down);
    EXPECT_EQ(decide(16s).reason, "wcs: no answer");
    wcs.page_at.reset();
    EXPECT_EQ(weight_of(decide(16s)), 100) << "a page that never came had no ports";
}

TEST(Policy, OwnLimitsAreOfThePage) {
    auto settings = default_settings();
    settings.when_unreadable = WhenStale::drain;
    settings.limits.push_back(own("threads", 200, {"core_threads", "java_threads"}));
    settings.limits.push_back(own("memory", 80, {"used"}, {"used", "free"}));
    settings.limits.push_back(own("degraded", 5, {"degraded_percent"}, {}, true));
    Policy policy;
    std::map<std::string, double, std::less<>> numbers{{"core_threads", 20},
                                                       {"java_threads", 30},
                                                       {"used", 40},
                                                       {"free", 60},
                                                       {"degraded_percent", 0}};
    const auto decide = [&](Clock::duration after = 0s) {
        auto wcs = page(numbers);
        wcs.page_at = wcs.publishers->at = wcs.subscribers->at = wcs.hls->at = now + after;
        return policy.decide(settings, rates(0, 0, 0), wcs, now + after);
    };
    EXPECT_EQ(weight_of(decide()), 50);
    EXPECT_EQ(decide().bottleneck, "memory");
    numbers["used"] = 240;
    EXPECT_EQ(decide().reason, "memory 80.0 of 80");
    EXPECT_EQ(decide().state, NodeState::down);
    numbers["used"] = 0;
    numbers["core_threads"] = 180.5;
    EXPECT_EQ(decide().reason, "threads 210.5 of 200");
    numbers["core_threads"] = 0;
    numbers["degraded_percent"] = 10;
    EXPECT_EQ(decide().state, NodeState::up);
    EXPECT_EQ(weight_of(decide()), 1);
    EXPECT_EQ(decide().reason, "degraded 10 of 5");

    numbers.erase("degraded_percent");
    EXPECT_EQ(decide(10s).reason, "degraded 10 of 5") << "a value holds";
    EXPECT_EQ(decide(11s).reason,
              "degraded unknown: wcs: the page has no number named 'degraded_percent'");
    EXPECT_EQ(decide(11s).state, NodeState::up) << "whatever when_unreadable says";
    numbers.erase("java_threads");
    EXPECT_EQ(decide(20s).state, NodeState::up);
    EXPECT_EQ(decide(22s).state, NodeState::drain);
    EXPECT_EQ(decide(22s).reason, "wcs: the page has no number named 'java_threads'");
}

TEST(Policy, TheBusiestCpuIsALimitOfItsOwn) {
    auto settings = default_settings();
    auto measured = rates(54, 0, 0);
    measured.rates.cpu_max_utilisation = 0.99;
    const auto decide = [&] { return Policy().decide(settings, measured, counts(0, 0, 0), now); };
    EXPECT_EQ(weight_of(decide()), 40) << "off by default";
    named(settings.limits, "cpu_core").maximum = 95;
    EXPECT_EQ(decide().state, NodeState::down);
    EXPECT_EQ(decide().reason, "cpu_core 99.0 of 95");
    std::swap(measured.rates.cpu_max_utilisation, measured.rates.so_far.cpu_max_utilisation);
    EXPECT_EQ(decide().state, NodeState::up) << "less than 10 s is no evidence";
    EXPECT_EQ(weight_of(decide()), 1);
}

TEST(Policy, PeaksAreHeldAgainstASoftLimit) {
    auto settings = default_settings();
    named(settings.limits, "band_out_peak").maximum = LimitMaximum::share_of_link(50);
    auto measured = rates(0, 0, 0);
    measured.link_capacity = 1000;
    measured.peaks.bits_out = 300e6;
    const auto decide = [&] { return Policy().decide(settings, measured, counts(0, 0, 0), now); };
    EXPECT_EQ(weight_of(decide()), 40);
    measured.peaks.bits_out = 1000e6;
    EXPECT_EQ(decide().state, NodeState::up);
    EXPECT_EQ(decide().reason, "band_out_peak 1000.0 of 500");
    measured.peaks.bits_out.reset();
    EXPECT_EQ(decide().reason, "band_out_peak unknown: not measured yet");
}

}  // namespace
}  // namespace wcs_node_agent
