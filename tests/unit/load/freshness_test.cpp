// SPDX-License-Identifier: Apache-2.0
#include "load/freshness.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

TEST(Freshness, AnOldVerdictIsNotToldAsFresh) {
    struct Row {
        const char* shows;
        NodeState last;
        std::chrono::nanoseconds age;
        WhenStale when_unreadable;
        NodeState state;
        int weight;
        std::string reason;
    };
    using enum NodeState;
    const std::vector<Row> rows{
        {"fresh", up, 1999ms, WhenStale::down, up, 40, ""},
        {"no longer fresh: the same, and it says so", up, 2s, WhenStale::down, up, 40,
         "no sample for 2 s"},
        {"at stale_after it still holds", up, 10s, WhenStale::down, up, 40, "no sample for 10 s"},
        {"then: down", up, 10001ms, WhenStale::down, NodeState::down, 0, "no sample for 10 s"},
        {"then: drain", up, 11s, WhenStale::drain, NodeState::drain, 0, "no sample for 11 s"},
        {"then: hold", up, 1h, WhenStale::hold, up, 40, "no sample for 3600 s"},
        {"then: ignore", up, 1h, WhenStale::ignore, up, 40, "no sample for 3600 s"},
        {"a node that is out does not come back by it", NodeState::down, 11s, WhenStale::drain,
         NodeState::down, 0, "no sample for 11 s"},
        {"nor does one that drains go down by it", NodeState::drain, 11s, WhenStale::down,
         NodeState::drain, 0, "no sample for 11 s"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.shows);
        Verdict last;
        last.state = row.last;
        last.weight.percent = row.last == up ? 40 : 0;
        last.bottleneck = "cpu";
        if (row.last != up) last.cause = "cpu";
        const auto verdict = aged(last, row.age, {2s, 10s, row.when_unreadable});
        EXPECT_EQ(verdict.state, row.state);
        EXPECT_EQ(verdict.weight.percent, row.weight);
        EXPECT_EQ(verdict.reason, row.reason);
        const bool decided_by_age = row.last == up && row.state != up;
        EXPECT_EQ(verdict.cause, decided_by_age ? "no_sample" : last.cause);
        EXPECT_EQ(verdict.bottleneck, decided_by_age ? "" : "cpu");
    }
}

TEST(Freshness, NothingIsDecidedWhileItIsFresh) {
    Verdict last;
    EXPECT_EQ(aged(last, 3s, {4s, 1s, WhenStale::down}).state, NodeState::up);
}

}  // namespace
}  // namespace wcs_node_agent
