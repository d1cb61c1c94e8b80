// SPDX-License-Identifier: Apache-2.0
#include "net/open_connections.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

using boost::asio::ip::make_address;
using testing::ElementsAre;
using testing::IsEmpty;

/// Connections with names, and who was closed in which order.
class OpenConnectionsTest : public testing::Test {
 protected:
    void open(const std::string& name, const std::string& source = "10.0.0.1") {
        auto slot = connections_.enter(make_address(source));
        slot->on_close([this, name] {
            closed_.push_back(name);
            slots_.erase(name);
        });
        slots_[name] = std::move(slot);
    }

    OpenConnections connections_{{.in_all = 4, .per_source = 2}};
    std::map<std::string, std::unique_ptr<OpenConnections::Slot>> slots_;
    std::vector<std::string> closed_;
};

}  // namespace

TEST_F(OpenConnectionsTest, TheOldestOfASourceIsEvicted) {
    open("other", "10.0.0.2");
    open("first");
    open("second");
    EXPECT_THAT(closed_, IsEmpty());
    open("third");
    EXPECT_THAT(closed_, ElementsAre("first"));
    EXPECT_EQ(connections_.size(), 3U);
    EXPECT_EQ(connections_.evicted(), 1U);
}

TEST_F(OpenConnectionsTest, TheOldestOfAllIsEvicted) {
    for (const char* source : {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"})
        open(source, source);
    EXPECT_THAT(closed_, ElementsAre("10.0.0.1"));
    EXPECT_EQ(connections_.size(), 4U);
}

TEST_F(OpenConnectionsTest, FinishedOnesAreEvictedFirstThenIdleOnesThenWorkingOnes) {
    for (const char* source : {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"})
        open(source, source);
    slots_["10.0.0.3"]->set_idle();
    slots_["10.0.0.2"]->set_idle();
    slots_["10.0.0.4"]->set_finished();
    for (const char* source : {"10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.4"})
        open(source, source);
    EXPECT_THAT(closed_, ElementsAre("10.0.0.4", "10.0.0.3", "10.0.0.2", "10.0.0.1"));
}

TEST_F(OpenConnectionsTest, TimeCountsFromTheChangeOfPhase) {
    open("first");
    open("second");
    slots_["first"]->set_idle();
    slots_["second"]->set_idle();
    slots_["first"]->set_working();
    slots_["first"]->set_idle();
    open("third");
    EXPECT_THAT(closed_, ElementsAre("second"));
}

TEST_F(OpenConnectionsTest, OneThatIsAboutToAskIsAsOldAsItsConnection) {
    open("slow");
    open("honest");
    slots_["slow"]->set_working();
    open("third");
    EXPECT_THAT(closed_, ElementsAre("slow")) << "its first byte did not make it young again";
}

TEST_F(OpenConnectionsTest, TheSourceThatHoldsMostLosesOne) {
    struct Row {
        const char* shows;
        OpenConnections::Limits limits;
        std::vector<std::pair<int, int>> held;  // source and number, opened one after the other
        int newcomer;                           // source
        std::string loses;                      // "SOURCE.NUMBER"
    };
    const std::vector<Row> rows{
        {"not the oldest of all", {4, 4}, {{1, 1}, {2, 3}}, 3, "2.0"},
        {"whoever comes first", {4, 4}, {{2, 3}, {1, 1}}, 3, "2.0"},
        {"the newcomer's own, if with it that would be the largest",
         {4, 4},
         {{1, 2}, {2, 2}},
         2,
         "2.0"},
        {"not its own as long as it has less", {5, 4}, {{2, 2}, {1, 3}}, 2, "1.0"},
        {"of equals the oldest", {4, 4}, {{2, 2}, {1, 2}}, 3, "2.0"},
        {"its own limit comes first", {5, 2}, {{1, 2}, {2, 1}}, 1, "1.0"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.shows);
        closed_.clear();
        connections_.limit({.in_all = 100, .per_source = 100});
        for (const auto& [source, number] : row.held)
            for (int i = 0; i < number; ++i)
                open(fmt::format("{}.{}", source, i), fmt::format("10.0.0.{}", source));
        connections_.limit(row.limits);
        open("newcomer", fmt::format("10.0.0.{}", row.newcomer));
        EXPECT_THAT(closed_, ElementsAre(row.loses));
        slots_.clear();
        EXPECT_EQ(connections_.size(), 0U);
    }
}

TEST_F(OpenConnectionsTest, WhoHasOneConnectionKeepsItBesideAnyFlood) {
    connections_.limit({.in_all = 512, .per_source = 64});
    open("honest", "10.0.1.1");
    for (int i = 0; i < 5'000; ++i) {
        const auto name = std::to_string(i);
        open(name, fmt::format("10.0.0.{}", i % 16));
        if (i % 3 == 0) slots_[name]->set_idle();
        if (i % 5 == 0) slots_[name]->set_finished();
    }
    EXPECT_EQ(connections_.size(), 512U);
    EXPECT_TRUE(slots_.contains("honest"));
    slots_["honest"]->set_idle();
    for (int i = 0; i < 100; ++i) open(fmt::format("more {}", i), "10.0.0.1");
    EXPECT_TRUE(slots_.contains("honest")) << "though it is idle and the others are working";
}

TEST_F(OpenConnectionsTest, ASlotDestroyedIsFree) {
    open("first");
    open("second");
    slots_.erase("first");
    open("third");
    EXPECT_THAT(closed_, IsEmpty());
    EXPECT_EQ(connections_.size(), 2U);
}

TEST_F(OpenConnectionsTest, OneSourceIsAnAddressOrANetworkOfIpv6) {
    open("first", "2001:db8::1");
    open("second", "2001:db8::2");
    open("other", "2001:db8:0:1::1");
    EXPECT_THAT(closed_, IsEmpty());
    open("third", "2001:db8::3");
    EXPECT_THAT(closed_, ElementsAre("first"));
}

TEST_F(OpenConnectionsTest, AMappedAddressIsTheIpv4One) {
    open("first", "::ffff:10.0.0.1");
    open("second", "10.0.0.1");
    open("third", "::ffff:10.0.0.1");
    EXPECT_THAT(closed_, ElementsAre("first"));
}

TEST_F(OpenConnectionsTest, ClosesWhoIsNotAllowedAnyMore) {
    open("stays");
    open("goes", "10.0.0.2");
    open("goes too", "10.0.0.2");
    connections_.close_unless(
        [](const auto& source) { return source == make_address("10.0.0.1"); });
    EXPECT_THAT(closed_, ElementsAre("goes", "goes too"));
    EXPECT_EQ(connections_.size(), 1U);
    EXPECT_EQ(connections_.evicted(), 0U) << "they were not evicted";
}

TEST(OpenConnections, MayBeDestroyedBeforeItsSlots) {
    std::unique_ptr<OpenConnections::Slot> slot;
    {
        OpenConnections connections({.in_all = 1, .per_source = 1});
        slot = connections.enter(make_address("10.0.0.1"));
    }
    slot->set_idle();
    slot.reset();
}

}  // namespace wcs_node_agent::test
