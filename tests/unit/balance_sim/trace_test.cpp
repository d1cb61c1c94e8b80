// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/trace.hpp"

#include "balance-sim/engine.hpp"

#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::balance {

namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Result<std::vector<Arrival>> read(const std::string& text) {
    std::istringstream in(text);
    return read_trace(in);
}

/// Two nodes that nobody tells anything.
Options traced(const char* text) {
    Options options;
    options.policy = policy_named("none");
    options.workload = *workload_named("steady");
    options.nodes = 2;
    options.warm_up = 10;
    options.hours = 60.0 / 3600;
    options.trace = *read(text);
    return options;
}

}  // namespace

TEST(BalanceTrace, HasASessionOnEachLine) {
    const auto trace = read("# a comment\n-3 20 1.5 0.25\n\n4.5 1e3 0 2\n");
    ASSERT_TRUE(trace) << trace.error().what;
    ASSERT_EQ(trace->size(), 2U);
    EXPECT_EQ((*trace)[0].at, -3);
    EXPECT_EQ((*trace)[0].demand.length, 20);
    EXPECT_EQ((*trace)[0].demand.ramp, 1.5);
    EXPECT_THAT((*trace)[0].demand.cost, ElementsAre(0, 25)) << "of 100 Mbit/s";
    EXPECT_EQ((*trace)[1].at, 4.5);
}

TEST(BalanceTrace, WhatIsNoSessionIsNamed) {
    const struct {
        const char* shows;
        const char* text;
        const char* line;
    } rows[] = {
        {"too few", "1 2 3\n", "line 1: '1 2 3'"},
        {"too many", "1 2 3 4\n1 2 3 4 5\n", "line 2: '1 2 3 4 5'"},
        {"no number", "1 2 3 x\n", "line 1: '1 2 3 x'"},
        {"no length", "1 0 3 4\n", "line 1: "},
        {"a negative ramp", "1 2 -3 4\n", "line 1: "},
        {"a negative cost", "1 2 3 -4\n", "line 1: "},
        {"out of order", "# first\n2 1 1 1\n1 1 1 1\n", "line 3: '1 1 1 1'"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto trace = read(row.text);
        ASSERT_FALSE(trace);
        EXPECT_THAT(trace.error().what, AllOf(HasSubstr(row.line), HasSubstr("ARRIVAL LENGTH")));
    }
}

TEST(BalanceTrace, NobodyComesButWhoIsInIt) {
    // The first and the third take turns with the second; 1.5 of a node is beyond its link.
    const auto results = Engine(traced("-5 1000 0 1.5\n10 20 0 0.5\n30.5 10 0 0.75\n")).run();
    EXPECT_EQ(results.sessions, 2U) << "one came before";
    EXPECT_THAT(results.sessions_by_node, ElementsAre(1, 1));
    ASSERT_EQ(results.utilisation.size(), 59U);
    EXPECT_THAT(results.utilisation[20], ElementsAre(1.5, 0.5)) << "after 21 s";
    EXPECT_THAT(results.utilisation[31], ElementsAre(2.25, 0));
    EXPECT_EQ(results.over_limit_node_seconds, 59);
    EXPECT_EQ(results.session_seconds, 59 + 20 + 10);
    const double asked = 59 * 1.5 + 20 * 0.5 + 10 * 0.75;
    EXPECT_NEAR(results.beyond_link_ratio, (49 * 0.25 + 10 * 1.0) / asked, 1e-9);
}

}  // namespace wcs_node_agent::balance
