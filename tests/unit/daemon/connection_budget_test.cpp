// SPDX-License-Identifier: Apache-2.0
#include "daemon/connection_budget.hpp"

#include "haproxy/agent_server.hpp"
#include "http/http_server.hpp"

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

TEST(ConnectionBudget, IsWholeWhereThereAreDescriptorsForAll) {
    const ConnectionBudget whole{AgentServer::most_open, HttpServer::most_open};
    EXPECT_EQ(connection_budget(524'288, 40), whole);
    EXPECT_EQ(connection_budget(768 + 512 + 128 + 40, 40), whole);
    EXPECT_NE(connection_budget(768 + 512 + 128 + 39, 40), whole);
}

TEST(ConnectionBudget, NeverPromisesMoreThanThereIs) {
    for (const std::size_t descriptors : {200U, 256U, 1024U, 1300U}) {
        const auto budget = connection_budget(descriptors, 40);
        EXPECT_LE(budget.agent.in_all + budget.metrics.in_all + 40 + 128, descriptors);
        EXPECT_GE(budget.agent.per_source, budget.metrics.per_source);
    }
}

TEST(ConnectionBudget, LeavesEachPortOneAtTheLeast) {
    const auto budget = connection_budget(10, 40);
    EXPECT_EQ(budget.agent.in_all, 1U);
    EXPECT_EQ(budget.metrics.per_source, 1U);
}

}  // namespace
}  // namespace wcs_node_agent
