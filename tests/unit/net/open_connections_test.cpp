// SPDX-License-Identifier: Apache-2.0
#include "net/open_connections.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

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
    void open(const std::string& name, const char* source = "10.0.0.1") {
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
