// SPDX-License-Identifier: Apache-2.0
// tools/balance-sim: where HAProxy sends connections.
#include "balance-sim/balancer.hpp"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::balance {

namespace {

using testing::ElementsAre;
using testing::Optional;

constexpr unsigned scale = weight_scale;

/// Servers with these weights (in percent of 100) before any has a connection.
class Field {
 public:
    Field(Algorithm algorithm, std::vector<unsigned> weights)
        : servers_(weights.size()), dispatch_(make_dispatch(algorithm, servers_, Random(1, 1))) {
        for (ServerId id = 0; id < weights.size(); ++id) set_weight(id, weights[id]);
    }

    void set_weight(ServerId id, unsigned weight) {
        servers_[id].effective_weight = weight * scale;
        dispatch_->set_weight(id, weight * scale);
    }
    void set_maxconn(ServerId id, unsigned maxconn) { servers_[id].maxconn = maxconn; }
    void serve(ServerId id, int connections) {
        servers_[id].served += static_cast<unsigned>(connections);
        dispatch_->load_changed(id);
    }

    std::optional<ServerId> pick(std::optional<ServerId> avoid = {}) {
        const auto picked = dispatch_->pick(avoid);
        if (picked) serve(*picked, 1);
        return picked;
    }
    std::vector<int> picks(int count) {
        std::vector<int> order;
        for (int i = 0; i < count; ++i) {
            const auto picked = pick();
            order.push_back(picked ? static_cast<int>(*picked) : -1);
        }
        return order;
    }

 private:
    std::vector<Server> servers_;
    std::unique_ptr<Dispatch> dispatch_;
};

Balancer balancer_of(std::size_t servers, BalancerSettings settings) {
    return Balancer(settings, servers, Random(1, 1));
}

}  // namespace

TEST(Dispatch, RoundRobinSpreadsTheHeavyOnesOut) {
    Field field(Algorithm::roundrobin, {200, 100, 100});
    EXPECT_THAT(field.picks(8), ElementsAre(0, 1, 0, 2, 0, 1, 0, 2));
}

TEST(Dispatch, RoundRobinFollowsWeightsThatChange) {
    Field field(Algorithm::roundrobin, {100, 100});
    field.picks(100);
    field.set_weight(1, 25);
    std::map<int, int> counts;
    for (const auto server : field.picks(1000)) ++counts[server];
    EXPECT_NEAR(counts[1], 200, 3);
}

TEST(Dispatch, LeastConnEvensConnectionsByWeight) {
    Field field(Algorithm::leastconn, {100, 50});
    std::map<int, int> counts;
    for (const auto server : field.picks(300)) ++counts[server];
    EXPECT_NEAR(counts[0], 200, 2);
    field.serve(0, -counts[0]);
    EXPECT_THAT(field.picks(3), ElementsAre(0, 0, 0));
}

TEST(Dispatch, RandomTakesTheLessLoadedOfTwo) {
    Field field(Algorithm::random, {100, 100});
    field.serve(0, 1000);
    std::map<int, int> counts;
    for (const auto server : field.picks(400)) ++counts[server];
    EXPECT_NEAR(counts[0], 100, 30);  // where both draws were of it
}

struct Case {
    Algorithm algorithm;
    const char* name;
};

class EachDispatch : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(All, EachDispatch,
                         testing::Values(Case{Algorithm::roundrobin, "roundrobin"},
                                         Case{Algorithm::leastconn, "leastconn"},
                                         Case{Algorithm::random, "random"}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(EachDispatch, GivesNothingToAServerWithoutWeight) {
    Field field(GetParam().algorithm, {100, 0, 100});
    field.picks(20);
    field.set_weight(0, 0);
    EXPECT_THAT(field.picks(20), testing::Each(2));
    field.set_weight(2, 0);
    EXPECT_EQ(field.pick(), std::nullopt);
}

TEST_P(EachDispatch, PicksNobodyWhereAllAreFull) {
    Field field(GetParam().algorithm, {100, 100});
    field.set_maxconn(0, 1);
    field.set_maxconn(1, 1);
    field.serve(0, 1);
    field.serve(1, 1);
    EXPECT_EQ(field.pick(), std::nullopt);
    field.serve(1, -1);
    if (GetParam().algorithm == Algorithm::random) return;  // it looks at two, full or not
    EXPECT_THAT(field.pick(), Optional(1U));
}

TEST_P(EachDispatch, AvoidsAServerUnlessItIsTheOnlyOne) {
    Field field(GetParam().algorithm, {100, 100});
    for (int i = 0; i < 10; ++i) EXPECT_THAT(field.pick(1), Optional(0U));
    field.set_weight(0, 0);
    EXPECT_THAT(field.pick(1), Optional(1U));
}

TEST(Balancer, TruncatesWeights) {
    struct Row {
        unsigned configured, percent, weight;
    };
    for (const auto& [configured, percent, weight] :
         {Row{100, 37, 37}, Row{1, 99, 0}, Row{10, 37, 3}, Row{100, 300, 256},
          Row{200, 200, 256}}) {
        auto balancer = balancer_of(1, {.weight = configured, .slowstart = 0});
        balancer.apply(0, {.weight = percent}, 1);
        EXPECT_EQ(balancer.server(0).effective_weight, weight * scale)
            << configured << " x " << percent << " %";
    }
}

TEST(Balancer, StartsSlowlyAfterDownAndNotAfterWeightZero) {
    auto balancer = balancer_of(1, {.slowstart = 32});
    balancer.apply(0, {.up = false}, 10);
    EXPECT_EQ(balancer.server(0).effective_weight, 0U);
    balancer.apply(0, {.maxconn = 50}, 20);
    EXPECT_TRUE(balancer.begins_slow_start(0));
    EXPECT_EQ(balancer.server(0).effective_weight, 100U);  // a sixteenth
    EXPECT_EQ(balancer.server(0).maxconn, 1U);
    EXPECT_TRUE(balancer.warm_up(0, 36));
    EXPECT_EQ(balancer.server(0).effective_weight, 900U);
    EXPECT_EQ(balancer.server(0).maxconn, 25U);
    EXPECT_FALSE(balancer.warm_up(0, 52));
    EXPECT_EQ(balancer.server(0).effective_weight, 1600U);
    balancer.apply(0, {.weight = 0}, 60);
    balancer.apply(0, {}, 61);
    EXPECT_FALSE(balancer.begins_slow_start(0));
    EXPECT_EQ(balancer.server(0).effective_weight, 1600U);
}

TEST(Balancer, IsUpOnlyIfAgentAndHealthCheckSaySo) {
    auto balancer = balancer_of(1, {.slowstart = 0});
    balancer.set_health(0, false, 1);
    balancer.apply(0, {}, 2);
    EXPECT_EQ(balancer.assign(1).outcome, Outcome::no_server);
    balancer.apply(0, {.up = false}, 3);
    balancer.set_health(0, true, 4);
    EXPECT_EQ(balancer.assign(1).outcome, Outcome::no_server);
    balancer.apply(0, {}, 5);
    EXPECT_EQ(balancer.assign(1).outcome, Outcome::assigned);
}

TEST(Balancer, KeepsWhoFindsNoRoomInOrder) {
    auto balancer = balancer_of(1, {.slowstart = 0});
    balancer.apply(0, {.maxconn = 1}, 0);
    EXPECT_EQ(balancer.assign(10).outcome, Outcome::assigned);
    for (SessionId id = 11; id < 14; ++id) EXPECT_EQ(balancer.assign(id).outcome, Outcome::queued);
    EXPECT_TRUE(balancer.give_up(12));
    EXPECT_FALSE(balancer.give_up(12));
    EXPECT_EQ(balancer.take_from_queue(0, 1), std::nullopt);
    balancer.release(0, 1);
    EXPECT_THAT(balancer.take_from_queue(0, 1), Optional(11U));
    balancer.apply(0, {.maxconn = 2}, 2);
    EXPECT_THAT(balancer.take_from_queue(0, 2), Optional(13U));
    EXPECT_EQ(balancer.take_from_queue(0, 2), std::nullopt);
}

}  // namespace wcs_node_agent::balance
