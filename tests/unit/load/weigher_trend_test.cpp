// SPDX-License-Identifier: Apache-2.0
#include "load/weigher.hpp"

#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

constexpr double expected = 100;  // sessions that fill the node
constexpr WeightSettings settings{.recent_sessions = 20s, .maxconn = false};

/// A node that is at work, and that HAProxy gives all that come as soon as its weight rises.
class Leastconn {
 public:
    Leastconn() {
        for (int i = 0; i < 600; ++i) {
            const bool rises = i % 2 == 0;
            for (int second = 0; second < 10; ++second)
                go(rises ? 0.50 : 0.49, !rises && second > 5 ? 110 : 100);
        }
        for (int second = 0; second < 3600; ++second) go(0.5, 100);
    }

    Weight go(double utilisation, double sessions) {
        load_.at += 1s;
        load_.utilisation = {utilisation, utilisation, utilisation};
        load_.sessions.subscribers = sessions;
        return weigher_.weigh(settings, expected, load_);
    }

    void leave() {
        load_.state = NodeState::down;
        go(0, 100);
        load_.state = NodeState::up;
    }

    /// So much later, at that load.
    Weight after(double utilisation, std::chrono::seconds length) {
        Weight weight;
        for (auto passed = 0s; passed < length; passed += 1s) weight = go(utilisation, 100);
        return weight;
    }

 private:
    Weigher weigher_;
    NodeLoad load_;
};

TEST(WeigherTrend, WhereAllFollowTheWeightItIsDamped) {
    struct Row {
        const char* shows;
        double utilisation;
        std::chrono::seconds length;
        int percent;
    };
    const std::vector<Row> rows{
        {"at rest it is the free share", 0.5, 1s, 50},
        {"what rises is followed by three tenths", 0.7, 1s, 43},
        {"more by and by", 0.7, 20s, 35},
        {"in the end in whole", 0.7, 120s, 30},
        {"so is what falls", 0.3, 1s, 57},
        {"but nothing delays what a limit says that is reached", 1.0, 1s, 1},
        {"or exceeded", 1.2, 1s, 1},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        Leastconn node;
        const auto weight = node.after(row.utilisation, row.length);
        EXPECT_NEAR(weight.percent, row.percent, 1);
        EXPECT_FALSE(weight.level) << "what comes tells nothing of the others";
    }
}

TEST(WeigherTrend, ANodeThatCameUpHasNoMeanOfItsOwnYet) {
    Leastconn node;
    EXPECT_GT(node.after(0.7, 1s).trend, 1.3);
    node.leave();
    EXPECT_EQ(node.after(0.2, 1s).trend, 1);
    EXPECT_EQ(node.after(0.7, 890s).trend, 1);
    node.after(0.7, 120s);
    EXPECT_GT(node.after(0.9, 1s).trend, 1.3) << "15 min later it has";
}

/// A node that HAProxy gives its turn of what comes: of a large fleet, whose other nodes say 50 %
/// in the mean. A session takes a hundredth of the node and stays for 5 min.
class Roundrobin {
 public:
    explicit Roundrobin(std::chrono::seconds length = 2h) { go(length); }

    Weight go(std::chrono::seconds length = 1s) {
        for (auto passed = 0s; passed < length; passed += 1s) step();
        return weight_;
    }

    double own_load = 0;  // utilisation that is none of a session's
    double rush = 1;      // as much comes to all
    bool knows_sessions = true;
    WeightPolicy policy = WeightPolicy::headroom;
    NodeLoad load;

 private:
    void step() {
        constexpr double mean_length = 300;
        constexpr double comes_at_50_percent = 50 / mean_length;
        turn_ += rush * comes_at_50_percent * weight_.percent / 50;
        const double came = std::floor(turn_);
        turn_ -= came;
        std::binomial_distribution<int> leave(static_cast<int>(sessions_), 1 / mean_length);
        sessions_ += came - leave(chance_);
        const double used = own_load + sessions_ / 100;
        load.at += 1s;
        load.utilisation = {used, used, sessions_ / 100};
        load.sessions = {};
        if (knows_sessions) load.sessions.subscribers = sessions_;
        auto now = settings;
        now.policy = policy;
        weight_ = weigher_.weigh(now, expected, load);
    }

    std::mt19937 chance_{5};
    Weigher weigher_;
    Weight weight_{.percent = 50};
    double sessions_ = 50;
    double turn_ = 0;
};

TEST(WeigherTrend, WhereSessionsComeByTurnsItGoesByTheFleet) {
    struct Row {
        const char* shows;
        std::function<void(Roundrobin&)> happens;
        std::chrono::seconds length;
        double least, most;  // of the trend
    };
    const std::vector<Row> rows{
        {"at rest there is hardly any", [](auto&) {}, 1s, 0.7, 1.3},
        {"who is above the fleet gives way", [](auto& node) { node.own_load = 0.03; }, 1s, 0.3,
         0.8},
        {"who is below it takes more", [](auto& node) { node.own_load = -0.03; }, 1s, 1.2, 1.7},
        {"by three quarters at most", [](auto& node) { node.own_load = 0.2; }, 1s, 0.25, 0.251},
        {"so it stays while he is", [](auto& node) { node.own_load = 0.2; }, 60s, 0.25, 0.26},
        {"either way", [](auto& node) { node.own_load = -0.3; }, 1s, 1.749, 1.75},
        {"when all get more, nobody is above the others", [](auto& node) { node.rush = 1.3; }, 300s,
         0.4, 1.6},
        {"nor when all get less", [](auto& node) { node.rush = 0.7; }, 300s, 0.4, 1.6},
        {"at a limit it is the lowest weight in any case", [](auto& node) { node.own_load = 0.6; },
         1s, 1, 1},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        Roundrobin node;
        row.happens(node);
        const auto weight = node.go(row.length);
        EXPECT_GE(weight.trend, row.least);
        EXPECT_LE(weight.trend, row.most);
        EXPECT_TRUE(weight.level);
    }
}

TEST(WeigherTrend, TheFleetIsWhereWhatComesSaysThatItIs) {
    Roundrobin node;
    const auto level = [&] { return node.go().level.value_or(-1); };
    EXPECT_NEAR(level(), 0.5, 0.06);
    node.own_load = 0.1;
    node.go(60s);
    EXPECT_NEAR(level(), 0.5, 0.06) << "what this node has is none of the others";
    node.own_load = 0;
    node.rush = 2;
    node.go(15min);
    EXPECT_NEAR(level(), 2 / 3.0, 0.05) << "twice as much for a percent: U / (1 - U) is 2";
}

TEST(WeigherTrend, ThereASmallChangeWaits) {
    struct Row {
        const char* shows;
        double own_load;
        bool held;
    };
    const std::vector<Row> rows{
        {"a little less", 0.002, true},
        {"a little more", -0.002, true},
        {"half of it", 0.03, false},
        {"a limit that is reached", 0.6, false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        Roundrobin node;
        Weight before = node.go();
        while (before.held) before = node.go();
        node.own_load = row.own_load;
        const auto now = node.go();
        EXPECT_EQ(now.held, row.held);
        EXPECT_EQ(now.percent == before.percent, row.held);
        int waited = 1;
        for (auto later = now; later.held; later = node.go()) ++waited;
        EXPECT_LE(waited, 20) << "s: recent_sessions";
    }
}

TEST(WeigherTrend, ALevelTakesTimeToKnow) {
    Roundrobin node(14min);
    EXPECT_FALSE(node.go().level);
    EXPECT_EQ(node.go().trend, 1);
    EXPECT_TRUE(node.go(2min).level);
}

TEST(WeigherTrend, WhatCameByNoWeightOfItsOwnSaysNothing) {
    struct Row {
        const char* shows;
        std::function<void(Roundrobin&, bool)> pause;  // begins, ends
    };
    const std::vector<Row> rows{
        {"a down", [](auto& node,
                      bool begins) { node.load.state = begins ? NodeState::down : NodeState::up; }},
        {"a reload to the other policy, and back",
         [](auto& node, bool begins) {
             node.policy = begins ? WeightPolicy::proportional : WeightPolicy::headroom;
         }},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        Roundrobin node;
        const auto before = node.go();
        row.pause(node, true);
        node.go(20min);
        row.pause(node, false);
        const auto after = node.go(2s);
        EXPECT_EQ(after.dispersion, before.dispersion);
        EXPECT_NEAR(after.effect, before.effect, 0.02);
        EXPECT_NEAR(after.trend, 1, 0.1) << "it begins at what the node has now";
    }
}

TEST(WeigherTrend, WithoutCountsThereIsNone) {
    Roundrobin node;
    const auto before = node.go();
    node.knows_sessions = false;
    const auto unknown = node.go(10min);
    EXPECT_EQ(unknown.dispersion, before.dispersion) << "that none came is not known";
    EXPECT_EQ(unknown.trend, 1);
    EXPECT_FALSE(unknown.level);
}

}  // namespace
}  // namespace wcs_node_agent
