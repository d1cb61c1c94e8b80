// SPDX-License-Identifier: Apache-2.0
#include "net/source_turns.hpp"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

boost::asio::ip::address source(int number) {
    return boost::asio::ip::make_address(fmt::format("10.0.0.{}", number));
}

std::string all(SourceTurns<std::string>& turns) {
    std::string all;
    while (const auto item = turns.pop()) all += *item + " ";
    return all;
}

}  // namespace

TEST(SourceTurns, OneOfEachSourceAfterTheOther) {
    SourceTurns<std::string> turns;
    for (const char* item : {"a1", "a2", "a3"}) turns.push(source(1), item);
    turns.push(source(2), "b1");
    for (const char* item : {"c1", "c2"}) turns.push(source(3), item);
    EXPECT_EQ(turns.size(), 6U);
    EXPECT_EQ(turns.size_of(source(3)), 2U);
    EXPECT_EQ(all(turns), "a1 b1 c1 a2 c2 a3 ");
    EXPECT_EQ(turns.size(), 0U);
    EXPECT_EQ(turns.sources(), 0U);
}

TEST(SourceTurns, WhoComesAnewWaitsForAllOthers) {
    SourceTurns<std::string> turns;
    turns.push(source(1), "a1");
    turns.push(source(2), "b1");
    EXPECT_EQ(turns.pop(), "a1");
    turns.push(source(1), "a2");
    turns.push(source(3), "c1");
    EXPECT_EQ(all(turns), "b1 a2 c1 ");
}

TEST(SourceTurns, WhoHasGoneHasNoTurn) {
    SourceTurns<std::string> turns;
    for (const char* item : {"a1", "a2", "a3"}) turns.push(source(1), item);
    turns.push(source(2), "b1");
    turns.remove(source(1), "a2");
    turns.remove(source(2), "b1");
    turns.remove(source(2), "b1");
    turns.remove(source(1), "never");
    EXPECT_EQ(turns.size(), 2U);
    EXPECT_EQ(turns.sources(), 1U);
    EXPECT_EQ(all(turns), "a1 a3 ");
}

TEST(SourceTurns, WhoHasMostLosesItsLast) {
    SourceTurns<std::string> turns;
    turns.push(source(1), "a1");
    for (const char* item : {"b1", "b2", "b3"}) turns.push(source(2), item);
    EXPECT_EQ(turns.pop_last_of_most(3), std::nullopt);
    EXPECT_EQ(turns.pop_last_of_most(2), "b3");
    EXPECT_EQ(all(turns), "a1 b1 b2 ");
    EXPECT_EQ(turns.pop_last_of_most(0), std::nullopt);
}

}  // namespace wcs_node_agent::test
