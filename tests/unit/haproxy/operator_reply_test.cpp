// SPDX-License-Identifier: Apache-2.0
#include "haproxy/agent_reply.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

struct OrderedRow {
    const char* shows;
    NodeState state;
    std::optional<NodeState> judged;
    std::string reply;    // to a balancer, which can be told `ready`
    std::string passing;  // to anybody else
};

TEST(OperatorReply, IsHaproxysOwnWordWhereItCanBeTakenBack) {
    const std::vector<OrderedRow> rows{
        {"a drain", NodeState::drain, NodeState::up, "up drain # by root\n", "up 0% # by root\n"},
        {"health is said too", NodeState::drain, NodeState::down, "down drain # by root\n",
         "down # by root\n"},
        {"a weight of 0 is up", NodeState::drain, NodeState::drain, "up drain # by root\n",
         "up 0% # by root\n"},
        {"maintenance", NodeState::maint, NodeState::up, "up maint # by root\n",
         "down # by root\n"},
        {"a judged drain never sticks",
         NodeState::drain,
         {},
         "up 0% # by root\n",
         "up 0% # by root\n"},
    };
    for (const auto& row : rows) {
        Verdict verdict;
        verdict.state = row.state;
        verdict.judged = row.judged;
        verdict.reason = "by root";
        EXPECT_EQ(agent_reply(verdict), row.reply) << row.shows;
        EXPECT_EQ(passing_reply(verdict), row.passing) << row.shows;
    }
}

TEST(OperatorReply, ReadyStandsBehindTheHealth) {
    EXPECT_EQ(with_ready("up 75% maxconn:12 # cpu unknown\n"),
              "up ready 75% maxconn:12 # cpu unknown\n");
    EXPECT_EQ(with_ready("down # subscribers 120 of 100\n"),
              "down ready # subscribers 120 of 100\n");
    EXPECT_EQ(with_ready("down\n"), "down ready\n");
}

}  // namespace
}  // namespace wcs_node_agent
