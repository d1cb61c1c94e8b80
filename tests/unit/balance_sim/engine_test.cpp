// SPDX-License-Identifier: Apache-2.0
// tools/balance-sim: what its results are made of.
#include "balance-sim/engine.hpp"

#include "balance-sim/limits.hpp"

#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::balance {

namespace {

using testing::ElementsAre;
using testing::Optional;

Options options(const char* policy, const char* workload) {
    Options options;
    options.policy = policy_named(policy);
    options.workload = *workload_named(workload);
    options.balancers = options.workload.balancers;
    return options;
}

}  // namespace

TEST(BalanceLoad, RampsAddUpToALineWithKinks) {
    Load load(0);
    load.add_slope({0.1, 2}, 1);  // from 0 on
    load.advance(5);
    load.add_slope({0.1, 2}, -1);
    EXPECT_THAT(load.value(), ElementsAre(0.5, 10));
    EXPECT_THAT(load.integral(), ElementsAre(1.25, 25));
    load.advance(7);
    EXPECT_THAT(load.value(), ElementsAre(0.5, 10));
    EXPECT_THAT(load.integral(), ElementsAre(2.25, 45));
}

TEST(BalanceRounds, EachMemberIsDueOnceAPeriod) {
    Rounds<char> rounds(100, 10, {{7, 'b'}, {3, 'a'}});
    std::vector<std::pair<double, char>> due;
    for (int i = 0; i < 4; ++i) {
        const double at = rounds.next_at();
        due.emplace_back(at, rounds.pop());
    }
    using Due = std::pair<double, char>;
    EXPECT_THAT(due, ElementsAre(Due{103, 'a'}, Due{107, 'b'}, Due{113, 'a'}, Due{117, 'b'}));
}

TEST(BalanceMostFree, IsTheLeastUsedThatTakesAnything) {
    MostFree most_free(3);
    EXPECT_EQ(most_free.get(), std::nullopt);
    most_free.set(2, 0.5);
    EXPECT_THAT(most_free.get(), Optional(2U));
    most_free.set(0, 0.4);
    EXPECT_THAT(most_free.get(), Optional(0U));
    most_free.set(0, MostFree::none);
    EXPECT_THAT(most_free.get(), Optional(2U));
}

TEST(BalanceSessions, HaveTheMeansThatTheLoadIsMadeOf) {
    const auto workload = *workload_named("steady");
    const Sessions sessions(workload, 300, 100);
    Random random(1, 1);
    constexpr int count = 400'000;
    double length = 0, left = 0, band = 0, least = 1e9, most = 0;
    for (int i = 0; i < count; ++i) {
        const auto demand = sessions.draw(random);
        length += demand.length;
        band += demand.cost[1];
        least = std::min(least, demand.cost[1]);
        most = std::max(most, demand.cost[1]);
        left += sessions.draw_left(random).length;
    }
    EXPECT_NEAR(length / count, 300, 6);
    EXPECT_NEAR(band / count, band_limit / 100, 0.01);
    EXPECT_NEAR(most / least, 10, 0.01);
    // What is left of a session that is met: E[L^2] / 2 E[L].
    EXPECT_NEAR(left / count, 300 * std::exp(1.44) / 2, 20);
}

TEST(BalanceMeasures, CountWhatIsAboveALimit) {
    std::vector<Node> nodes(2, Node{.load = Load(0)});
    nodes[1].capacity = 2;
    nodes[0].load.add_value({0, 105}, 1);
    nodes[1].load.add_value({0, 170}, 1);
    nodes[0].sessions = 100;
    nodes[1].sessions = 200;
    Measures measures(2, true);
    measures.look(nodes, 1);
    measures.look(nodes, 1);
    Results results;
    measures.finish(results);
    EXPECT_THAT(results.utilisation, ElementsAre(ElementsAre(1.05, 0.85), ElementsAre(1.05, 0.85)));
    EXPECT_EQ(results.over_limit_node_seconds, 2);
    EXPECT_EQ(results.session_seconds, 600);
    EXPECT_EQ(results.hot_session_seconds, 600);
    EXPECT_EQ(results.over_session_seconds, 200);
    EXPECT_DOUBLE_EQ(results.mean_utilisation, 275.0 / 300);
    EXPECT_DOUBLE_EQ(results.imbalance, 1.05 / (275.0 / 300));
    EXPECT_EQ(results.oscillation, 0);
}

TEST(BalanceEngine, ALoadIsWhatItsArrivalsMakeIt) {
    const auto results = Engine(options("floor", "steady")).run();
    // Ramps take half of 12.5 s from each 300 s.
    EXPECT_NEAR(results.mean_utilisation, 0.8 * (1 - 6.25 / 300), 0.04);
    EXPECT_NEAR(static_cast<double>(results.sessions), 0.8 * 10 * 100 * 3600 / 300, 400);
    EXPECT_EQ(results.refused, 0U);
}

TEST(BalanceEngine, ADeadNodesSessionsGoToTheOthers) {
    const auto results = Engine(options("proportional", "death")).run();
    EXPECT_GT(results.redispatched, 0U);
    EXPECT_EQ(results.refused, 0U);
}

TEST(BalanceEngine, AScriptThatReadsNothingLosesWhatASilentNodeGets) {
    const auto script = Engine(options("updown", "silence")).run();
    const auto agent = Engine(options("proportional", "silence")).run();
    // A tenth of the arrivals of 300 s, against those until the silence is a fact.
    EXPECT_NEAR(static_cast<double>(script.refused), 70, 25);
    EXPECT_LT(agent.refused, script.refused / 5);
}

TEST(BalanceEngine, ANodeThatJoinsCatchesUp) {
    const auto results = Engine(options("proportional", "join")).run();
    ASSERT_TRUE(results.join_seconds);
    EXPECT_GT(*results.join_seconds, 60);
    EXPECT_LT(*results.join_seconds, 1800);
}

TEST(BalanceEngine, RestartedAgentsChangeNoWeightByThemselves) {
    const auto restarts = Engine(options("proportional", "restarts")).run();
    const auto steady = Engine(options("proportional", "steady")).run();
    EXPECT_NEAR(restarts.imbalance, steady.imbalance, 0.02);
    EXPECT_EQ(restarts.over_limit_node_seconds, steady.over_limit_node_seconds);
}

}  // namespace wcs_node_agent::balance
