// SPDX-License-Identifier: Apache-2.0
// tools/balance-sim: what knowledge of all nodes is worth.
#include "balance-sim/engine.hpp"
#include "balance-sim/fleet.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::balance {

namespace {

Node node_used(double used, double capacity = 1) {
    Node node{.load = Load(0), .capacity = capacity};
    node.reserved = used * capacity;
    return node;
}

Options options(const char* policy, const char* workload, Algorithm algorithm) {
    Options options;
    options.policy = policy_named(policy);
    options.workload = *workload_named(workload);
    options.balancers = options.workload.balancers;
    options.balancer.algorithm = algorithm;
    options.nodes = 20;
    options.hours = 0.5;
    options.gain = 2;
    return options;
}

Results run(const char* policy, const char* workload, Algorithm algorithm) {
    return Engine(options(policy, workload, algorithm)).run();
}

}  // namespace

TEST(BalanceFleet, WhatComesFillsTheLeastUsedNodesFirst) {
    struct Row {
        const char* what;
        std::vector<Node> nodes;
        double inflow, level, share;
    };
    const std::vector<Row> rows{
        {"the first alone", {node_used(0.2), node_used(0.6), node_used(0.8)}, 0.3, 0.5, 0.1},
        {"two of them", {node_used(0.2), node_used(0.6), node_used(0.8)}, 0.6, 0.7, 0.2},
        {"all", {node_used(0.2), node_used(0.6), node_used(0.8)}, 1.1, 0.9, 1.1 / 3},
        {"in any order", {node_used(0.8), node_used(0.2), node_used(0.6)}, 0.6, 0.7, 0.2},
        {"by capacity", {node_used(0.2, 4), node_used(0.6)}, 0.4, 0.3, 0.08},
        {"equal ones", {node_used(0.5), node_used(0.5)}, 0.2, 0.6, 0.1},
        {"nothing", {node_used(0.5), node_used(0.7)}, 0, 0.5, 0},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.what);
        Fleet fleet(row.nodes, 1);
        fleet.refresh(0, row.inflow);
        EXPECT_NEAR(fleet.level(), row.level, 1e-9);
        EXPECT_NEAR(fleet.share(), row.share, 1e-9);
    }
}

TEST(BalanceFleet, ANodeThatTakesNothingIsNotPartOfIt) {
    std::vector<Node> nodes{node_used(0.2), node_used(0.6)};
    nodes[0].sessions = 10;
    nodes[1].sessions = 30;
    nodes[0].answers = false;
    Fleet fleet(nodes, 1);
    fleet.refresh(0, 0.1);
    EXPECT_DOUBLE_EQ(fleet.level(), 0.7);
    EXPECT_DOUBLE_EQ(fleet.mean(), 0.6);
    EXPECT_DOUBLE_EQ(fleet.sessions(), 30);
}

TEST(BalanceFleet, LooksFourTimesASecond) {
    std::vector<Node> nodes{node_used(0.2)};
    Fleet fleet(nodes, 1);
    fleet.refresh(0, 0);
    nodes[0].reserved = 0.4;
    fleet.refresh(0.2, 0);
    EXPECT_DOUBLE_EQ(fleet.mean(), 0.2);
    fleet.refresh(0.25, 0);
    EXPECT_DOUBLE_EQ(fleet.mean(), 0.4);
}

class BalanceCentral : public testing::TestWithParam<Algorithm> {};

TEST_P(BalanceCentral, WeightsOfWhoKnowsAllAreBetterThanAnAgentsAndWorseThanTheFloor) {
    for (const auto* workload : {"steady", "silence"}) {
        SCOPED_TRACE(workload);
        const auto floor = run("floor", workload, GetParam());
        const auto checks = run("floor-by-checks", workload, GetParam());
        const auto agent = run("headroom", workload, GetParam());
        EXPECT_LT(floor.imbalance, checks.imbalance);
        for (const auto* policy : {"central", "central-maxconn"}) {
            SCOPED_TRACE(policy);
            const auto central = run(policy, workload, GetParam());
            EXPECT_LT(checks.imbalance, central.imbalance);
            EXPECT_LT(central.imbalance, agent.imbalance);
            EXPECT_LE(central.refused, agent.refused + 5);
        }
    }
}

TEST(BalanceTold, WhoKnowsTheMeanIsMoreEvenUnderRoundrobin) {
    const auto agent = run("headroom", "diurnal", Algorithm::roundrobin);
    const auto told = run("headroom-told", "diurnal", Algorithm::roundrobin);
    EXPECT_LT(told.imbalance + 0.005, agent.imbalance);
    EXPECT_LE(told.refused, agent.refused + 5);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, BalanceCentral,
                         testing::Values(Algorithm::roundrobin, Algorithm::leastconn,
                                         Algorithm::random),
                         [](const auto& info) { return std::string(to_string(info.param)); });

TEST(BalanceFloorByChecks, KnowsLessTheRarerTheChecks) {
    auto rare = options("floor-by-checks", "steady", Algorithm::roundrobin);
    rare.agent_inter = 60;
    const auto often = run("floor-by-checks", "steady", Algorithm::roundrobin);
    EXPECT_LT(often.imbalance + 0.01, Engine(rare).run().imbalance);
}

}  // namespace wcs_node_agent::balance
