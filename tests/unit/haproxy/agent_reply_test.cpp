// SPDX-License-Identifier: Apache-2.0
#include "haproxy/agent_reply.hpp"

#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace wcs_node_agent {

namespace {

struct Row {
    const char* shows;
    NodeState state;
    int weight;
    std::string reason;
    std::string reply;
    std::optional<unsigned> maxconn = {};
};

const Row rows[] = {
    {"health and weight in full", NodeState::up, 37, "", "up 37%\n"},
    {"the least weight", NodeState::up, 1, "", "up 1%\n"},
    {"the greatest weight", NodeState::up, 100, "", "up 100%\n"},
    {"more than the configured weight", NodeState::up, 256, "", "up 256%\n"},
    {"how many connections there may be", NodeState::up, 37, "", "up 37% maxconn:120\n", 120},
    {"in front of the reason", NodeState::up, 1, "udp_loss 2.3 of 1",
     "up 1% maxconn:60 # udp_loss 2.3 of 1\n", 60},
    {"a bound is lifted", NodeState::up, 37, "", "up 37% maxconn:1000000\n", unbounded_connections},
    {"not beside another state, where it means nothing", NodeState::down, 0, "", "down\n", 60},
    {"the reason as a description", NodeState::down, 0, "subscribers 120 of 100",
     "down # subscribers 120 of 100\n"},
    {"down without a reason", NodeState::down, 0, "", "down\n"},
    {"a drain that the next weight undoes", NodeState::drain, 0, "WCS does not answer",
     "up 0% # WCS does not answer\n"},
    {"maintenance that the next up undoes", NodeState::maint, 0, "by the operator",
     "down # by the operator\n"},
    {"one line, whatever the reason holds", NodeState::down, 0, "a\r\nup 100%\n",
     "down # a??up 100%?\n"},
    {"printable ASCII alone", NodeState::down, 0, "caf\xC3\xA9\t\x01", "down # caf????\n"},
    {"at most 200 bytes", NodeState::down, 0, std::string(500, 'x'),
     "down # " + std::string(192, 'x') + "\n"},
};

}  // namespace

TEST(AgentReply, SaysTheVerdictInOneLine) {
    for (const Row& row : rows) {
        SCOPED_TRACE(row.shows);
        Verdict verdict;
        verdict.state = row.state;
        verdict.weight.percent = row.weight;
        verdict.weight.maxconn = row.maxconn;
        verdict.reason = row.reason;
        EXPECT_EQ(agent_reply(verdict), row.reply);
    }
}

}  // namespace wcs_node_agent
