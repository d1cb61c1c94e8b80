// SPDX-License-Identifier: Apache-2.0
#include "load/weigher.hpp"

#include "load/policy.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr double expected = 100;  // sessions that fill the node
const Clock::time_point start(1000s);

NodeLoad load_of(double sessions, double utilisation, Clock::time_point at = start) {
    return {.at = at,
            .utilisation = {utilisation, utilisation, utilisation},
            .sessions = {0, sessions, 0},
            .connections = sessions};
}

/// After so long of the same load.
Weight settled(Weigher& weigher, const WeightSettings& settings, NodeLoad load,
               std::chrono::nanoseconds length = 15min) {
    Weight weight;
    for (const auto end = load.at + length; load.at <= end; load.at += 1s)
        weight = weigher.weigh(settings, expected, load);
    return weight;
}

Weight settled(const WeightSettings& settings, const NodeLoad& load) {
    Weigher weigher;
    return settled(weigher, settings, load);
}

TEST(Weigher, ProportionalIsTheFormulaToTheLetter) {
    struct Row {
        double utilisation;
        int percent;
    };
    const std::vector<Row> rows{{0, 100},    {0.004, 100}, {0.006, 99}, {0.125, 88}, {0.5, 50},
                                {0.666, 33}, {0.98, 2},    {0.994, 1},  {0.999, 1},  {1.3, 1}};
    for (const auto& [utilisation, percent] : rows) {
        SCOPED_TRACE(utilisation);
        Weigher weigher;
        const WeightSettings settings{
            .policy = WeightPolicy::proportional, .capacity = 400, .capacity_reference = 100};
        EXPECT_EQ(weigher.weigh(settings, expected, load_of(0, utilisation)).percent, percent);
        const auto more = weigher.weigh(settings, expected, load_of(40, utilisation, start + 1s));
        EXPECT_EQ(more.percent, percent) << "whatever came";
        EXPECT_FALSE(more.maxconn);
    }
}

TEST(Weigher, AtSteadyStateItIsTheProportionalOneWithinOnePercent) {
    for (int used = 0; used < 100; ++used) {
        const double utilisation = used / 100.0;
        SCOPED_TRACE(utilisation);
        const auto weight = settled({}, load_of(150 * utilisation, utilisation));
        EXPECT_NEAR(weight.percent, std::max(100 * (1 - utilisation), 1.0), 1);
        EXPECT_EQ(weight.recent, 0);
        EXPECT_EQ(weight.capacity, weight.reference);
    }
}

TEST(Weigher, WhatIsSaidOfANodeThatStands) {
    struct Row {
        const char* shows;
        WeightSettings settings;
        NodeLoad load;
        int percent;
        std::optional<unsigned> maxconn;
    };
    auto soft = load_of(20, 0.2);
    soft.utilisation.all = 0.7;
    auto full = load_of(20, 0.2);
    full.utilisation.all = 1.4;
    auto of_the_page = load_of(50, 0.7);
    of_the_page.utilisation.by_sessions = 0.5;
    auto unmeasured = load_of(50, 0.5);
    unmeasured.utilisation = {};
    auto unconnected = load_of(50, 0.5);
    unconnected.connections.reset();
    auto busy = load_of(200, 0.5);
    busy.connections = 100;
    auto pulled = busy;
    pulled.connections = 0;
    auto waiting = busy;
    waiting.connections = 400;
    const auto two = [](NodeLoad load) {
        load.balancers = 2;
        return load;
    };
    const auto while_in = [](NodeLoad load, NodeState state) {
        load.state = state;
        return load;
    };
    const std::vector<Row> rows{
        {"half of it is free, room for nearly the other half", {}, load_of(50, 0.5), 50, 96},
        {"cheap sessions: room for more", {}, load_of(200, 0.5), 50, 373},
        {"its capacity is four times the reference",
         {.capacity = 400, .capacity_reference = 100},
         load_of(200, 0.5),
         200,
         373},
        {"by its own estimate too", {.capacity_reference = 100}, load_of(195, 0.5), 182, 364},
        {"a quarter of it", {.capacity = 100, .capacity_reference = 400}, load_of(50, 0.5), 13, 96},
        {"no more than HAProxy takes",
         {.capacity = 1e6, .capacity_reference = 1},
         load_of(50, 0.5),
         256,
         96},
        {"never 0, which would be a drain",
         {.capacity = 1, .capacity_reference = 1e6},
         load_of(50, 0.5),
         1,
         96},
        {"a soft limit is no room that is missing", {}, soft, 30, 96},
        {"one that is exceeded: the lowest weight", {}, full, 1, 96},
        {"what sessions do not use up makes none of them dear", {}, of_the_page, 30, 76},
        {"sessions that no connection brings leave room for those of which one does",
         {},
         busy,
         50,
         273},
        {"none comes by a connection", {}, pulled, 50, 173},
        {"two connections to each session", {}, waiting, 50, 742},
        {"two balancers: half of the room each, and the connections that there are",
         {},
         two(load_of(50, 0.5)),
         50,
         73},
        {"the setting counts before who asks, and each has its part of all",
         {.balancers = 5},
         two(load_of(50, 0.5)),
         50,
         24},
        {"and what chance makes of it no longer, where there is no room",
         {.balancers = 20},
         load_of(99.5, 0.995),
         1,
         5},
        {"room for one is somebody's, whoever has it", {}, two(load_of(95.5, 0.955)), 5, 96},
        {"no room, no more", {}, two(load_of(99.5, 0.995)), 1, 99},
        {"without connections: no bound", {}, unconnected, 50, {}},
        {"switched off: no bound", {.maxconn = false}, load_of(50, 0.5), 50, {}},
        {"nothing is checked: all is free, and no bound", {}, unmeasured, 100, {}},
        {"over a limit before it is evident", {}, load_of(100, 1.2), 1, 100},
        {"down", {}, while_in(load_of(100, 1.2), NodeState::down), 0, {}},
        {"drain", {}, while_in(load_of(50, 0.5), NodeState::drain), 0, {}},
        {"maint", {}, while_in(load_of(50, 0.5), NodeState::maint), 0, {}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto weight = settled(row.settings, row.load);
        EXPECT_EQ(weight.percent, row.percent);
        EXPECT_EQ(weight.maxconn, row.maxconn);
    }
}

TEST(Weigher, SessionsThatJustCameCountAtTheirCost) {
    Weigher weigher;
    const auto before = settled(weigher, {}, load_of(50, 0.5));
    EXPECT_EQ(before.percent, 50);
    const auto at = start + 16min;
    const auto came = weigher.weigh({}, expected, load_of(70, 0.5, at));
    EXPECT_NEAR(came.recent, 20, 1e-9);
    EXPECT_NEAR(came.added, 0.2, 0.001);
    EXPECT_EQ(came.percent, 30);
    EXPECT_EQ(came.maxconn, 96u) << "70 there, and room for 26 more: full at 96.5 %";
    const auto half = weigher.weigh({}, expected, load_of(70, 0.6, at + 10s));
    EXPECT_EQ(half.percent, 30) << "half of their load shows";
    const auto all = weigher.weigh({}, expected, load_of(70, 0.7, at + 20s));
    EXPECT_EQ(all.percent, 30) << "all of it";
    EXPECT_EQ(all.recent, 0);
    EXPECT_EQ(weigher.weigh({.recent_sessions = 0s}, expected, load_of(90, 0.7, at + 21s)).percent,
              30)
        << "switched off";
}

TEST(Weigher, ANodeThatCameBackGetsWorkByAndBy) {
    for (const auto away : {NodeState::down, NodeState::drain, NodeState::maint}) {
        SCOPED_TRACE(to_string(away));
        Weigher weigher;
        const auto percent = [&](std::chrono::seconds at, NodeState state, double utilisation) {
            auto load = load_of(0, utilisation, start + at);
            load.state = state;
            return weigher.weigh({.ramp = 30s}, expected, load).percent;
        };
        EXPECT_EQ(percent(0s, NodeState::up, 0), 1) << "after a start";
        EXPECT_EQ(percent(15s, NodeState::up, 0), 50);
        EXPECT_EQ(percent(30s, NodeState::up, 0), 100);
        EXPECT_EQ(percent(60s, away, 0), 0);
        EXPECT_EQ(percent(61s, NodeState::up, 0), 1);
        EXPECT_EQ(percent(70s, NodeState::up, 0), 30);
        EXPECT_EQ(percent(70s, NodeState::up, 0.8), 20) << "a busy one has no more free anyway";
        EXPECT_EQ(percent(91s, NodeState::up, 0), 100);
    }
    Weigher weigher;
    EXPECT_EQ(weigher.weigh({.ramp = 0s}, expected, load_of(0, 0)).percent, 100) << "without one";
    EXPECT_EQ(weigher.weigh({}, expected, load_of(0, 0)).maxconn, 96u) << "it bounds no queue";
}

TEST(Weigher, AStartOfTheAgentIsNoneOfTheNode) {
    struct Row {
        const char* shows;
        std::vector<NodeLoad> loads;
        int percent;
    };
    auto not_asked_yet = load_of(0, 0.25);
    not_asked_yet.sessions = {};
    auto down = load_of(25, 0.25);
    down.state = NodeState::down;
    const std::vector<Row> rows{
        {"a node at work has its weight at once", {load_of(25, 0.25)}, 75},
        {"as soon as its sessions are known", {not_asked_yet, load_of(25, 0.25)}, 75},
        {"an empty one does not", {load_of(4, 0.04)}, 1},
        {"nor one whose sessions came later", {load_of(0, 0.0), load_of(25, 0.25)}, 1},
        {"nor one that was down", {load_of(25, 0.25), down, load_of(25, 0.25)}, 1},
        {"nor one that the agent finds down", {down, load_of(25, 0.25)}, 1},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        Weigher weigher;
        Weight weight;
        for (const auto& load : row.loads) weight = weigher.weigh({.ramp = 30s}, expected, load);
        EXPECT_EQ(weight.percent, row.percent);
    }
}

TEST(Weigher, ABoundThatHAProxyHasIsLifted) {
    Weigher weigher;
    EXPECT_EQ(weigher.weigh({}, expected, load_of(50, 0.5)).maxconn, 96u);
    EXPECT_EQ(weigher.weigh({.maxconn = false}, expected, load_of(50, 0.5)).maxconn,
              unbounded_connections);
    auto unconnected = load_of(50, 0.5);
    unconnected.connections.reset();
    EXPECT_EQ(weigher.weigh({}, expected, unconnected).maxconn, unbounded_connections);
    EXPECT_EQ(
        weigher.weigh({.policy = WeightPolicy::proportional}, expected, load_of(50, 0.5)).maxconn,
        unbounded_connections);
    EXPECT_EQ(weigher.weigh({}, expected, load_of(50, 0.5)).maxconn, 96u);
}

/// A fleet of unequal nodes in which sessions come and go evenly, each costing 1 / capacity. It has
/// parts of sessions, of whom nobody could say which come and which go: so nothing is learnt of
/// that.
class Fleet {
 public:
    explicit Fleet(std::vector<double> capacities)
        : capacities_(std::move(capacities)),
          sessions_(capacities_.size()),
          weighers_(capacities_.size()) {}

    /// The utilisations at which it stands, when so many sessions are shared in proportion to the
    /// weights: of those that come (a mean length of 300 s), or of all that there are.
    std::vector<double> settle(const WeightSettings& settings, double all, bool by_arrivals) {
        std::vector<double> weights(capacities_.size(), 1);
        auto at = start;
        for (int second = 0; second < 7200; ++second, at += 1s) {
            const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
            const double speed = (by_arrivals ? 1 : 5) / 300.0;
            for (std::size_t i = 0; i < capacities_.size(); ++i) {
                sessions_[i] += speed * (all * weights[i] / sum - sessions_[i]);
                const auto load = load_of(sessions_[i], sessions_[i] / capacities_[i], at);
                const auto weight = weighers_[i].weigh(settings, 200, load);
                weights[i] = std::max(weight.percent, 1);
            }
        }
        std::vector<double> utilisations;
        for (std::size_t i = 0; i < capacities_.size(); ++i)
            utilisations.push_back(sessions_[i] / capacities_[i]);
        return utilisations;
    }

 private:
    std::vector<double> capacities_, sessions_;
    std::vector<Weigher> weighers_;
};

// In proportion to arrivals n = K (1 - U) f and in proportion to concurrency n / (K (1 - U)) = f
// are the same: U / (1 - U) = f for each node, so with the capacity in the weight all have one U.
TEST(Weigher, UnequalNodesSettleAtEqualUtilisation) {
    const WeightSettings settings{.recent_sessions = 0s, .capacity_reference = 200};
    for (const bool by_arrivals : {true, false})
        for (const double utilisation : {0.3, 0.6, 0.8}) {
            SCOPED_TRACE(utilisation);
            const auto settled =
                Fleet({100, 200, 400}).settle(settings, 700 * utilisation, by_arrivals);
            for (const double one : settled) EXPECT_NEAR(one, utilisation, 0.02);
        }
}

// The closed form without the capacity: U / (1 - U) is as 1 / K, at a load that gives the smallest
// node 0.9 so 9, 4.5 and 2.25.
TEST(Weigher, ProportionalWeightsLeaveTheSmallestHottest) {
    const WeightSettings settings{.policy = WeightPolicy::proportional};
    const double all = 100 * 0.9 + 200 * 4.5 / 5.5 + 400 * 2.25 / 3.25;
    const auto settled = Fleet({100, 200, 400}).settle(settings, all, true);
    EXPECT_NEAR(settled[0], 0.90, 0.01);
    EXPECT_NEAR(settled[1], 0.82, 0.01);
    EXPECT_NEAR(settled[2], 0.69, 0.01);
}

/// A history in which everything happens that must not matter.
class RandomHistory {
 public:
    explicit RandomHistory(unsigned seed) : random_(seed) {}

    bool one_in(int n) { return std::uniform_int_distribution(1, n)(random_) == 1; }
    double between(double low, double high) {
        return std::uniform_real_distribution(low, high)(random_);
    }

    WeightSettings settings() {
        WeightSettings settings{.recent_sessions = seconds(0, 100),
                                .capacity_window = seconds(1, 1000),
                                .ramp = seconds(0, 100),
                                .maxconn = !one_in(5),
                                .balancers = one_in(2) ? 0u : 3u};
        if (one_in(5)) settings.policy = WeightPolicy::proportional;
        if (one_in(3)) settings.capacity = between(1, 1e6);
        if (one_in(3)) settings.capacity_reference = between(1, 1e6);
        return settings;
    }

    Clock::time_point next_moment() {
        if (one_in(100)) at_ += seconds(-100'000, 100'000);
        return at_ += seconds(0, 2);
    }

    std::optional<double> value(double usual, double most) {
        if (one_in(10)) return std::nullopt;
        if (one_in(50)) return one_in(2) ? std::nan("") : -1.0;
        return between(0, one_in(10) ? most : usual);
    }

 private:
    std::chrono::nanoseconds seconds(double low, double high) {
        return std::chrono::nanoseconds(static_cast<std::int64_t>(between(low, high) * 1e9));
    }

    std::mt19937 random_;
    Clock::time_point at_{1'000'000s};
};

TEST(Weigher, NoHistoryMakesAWeightThatMeansNothing) {
    for (unsigned seed = 0; seed < 40; ++seed) {
        SCOPED_TRACE(seed);
        RandomHistory history(seed);
        Weigher weigher;
        auto settings = history.settings();
        for (int step = 0; step < 3000; ++step) {
            if (history.one_in(200)) settings = history.settings();
            const NodeLoad load{
                .at = history.next_moment(),
                .state = history.one_in(20) ? NodeState::down : NodeState::up,
                .utilisation = {history.value(1, 1e9), history.value(1, 1e9), history.value(1, 9)},
                .sessions = {history.value(9, 1e12), history.value(900, 1e12), history.value(9, 9)},
                .connections = history.value(1000, 1e12),
                .balancers = history.one_in(2) ? 0u : 7u};
            const auto weight = weigher.weigh(settings, history.between(1, 1e9), load);
            const bool is_up = load.state == NodeState::up;
            ASSERT_GE(weight.percent, is_up ? 1 : 0);
            ASSERT_LE(weight.percent, is_up ? 256 : 0);
            ASSERT_LE(weight.maxconn.value_or(1), unbounded_connections);
            ASSERT_GE(weight.maxconn.value_or(1), 1u);
            ASSERT_TRUE(is_up || !weight.maxconn);
            for (const double figure : {weight.raw, weight.recent, weight.added, weight.capacity,
                                        weight.reference, weight.ramp})
                ASSERT_TRUE(std::isfinite(figure));
            ASSERT_GE(weight.recent, 0);
            ASSERT_GE(weight.capacity, 1);
        }
    }
}

/// Limits of a random configuration.
Limits random_limits(RandomHistory& history) {
    auto limits = default_limits();
    for (auto& limit : limits) {
        limit.maximum.reset();
        if (!history.one_in(3)) limit.maximum = history.between(1, 200);
    }
    return limits;
}

TEST(Weigher, NeverUpAtOrOverAHardLimitThatIsKnown) {
    for (unsigned seed = 0; seed < 40; ++seed) {
        SCOPED_TRACE(seed);
        RandomHistory history(seed);
        Policy policy;
        Weigher weigher;
        PolicySettings settings{.limits = random_limits(history), .stale_after = 10s};
        for (int step = 0; step < 500; ++step) {
            if (history.one_in(50)) settings.limits = random_limits(history);
            const auto at = history.next_moment();
            const auto count = [&]() -> std::optional<HeldCount> {
                if (history.one_in(10)) return std::nullopt;
                return HeldCount{history.between(0, 130), at};
            };
            WcsState wcs;
            wcs.asked = true;
            wcs.publishers = count();
            wcs.subscribers = count();
            wcs.hls = count();
            const Measured measured{.rates = {{.bits_in = history.between(0, 1.3e8),
                                               .bits_out = history.between(0, 1.3e8),
                                               .cpu_utilisation = history.between(0, 1)}}};
            const auto verdict = policy.decide(settings, measured, wcs, at);
            const NodeLoad load{.at = at,
                                .state = verdict.state,
                                .utilisation = utilisations_of(verdict),
                                .sessions = session_counts(verdict)};
            const auto weight = weigher.weigh({}, expected_capacity(settings.limits), load);
            const auto hard = load.utilisation.hard.value_or(0);
            ASSERT_FALSE(hard >= 1 && verdict.state == NodeState::up);
            ASSERT_EQ(weight.percent > 0, verdict.state == NodeState::up);
        }
    }
}

}  // namespace
}  // namespace wcs_node_agent
