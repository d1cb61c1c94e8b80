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

/// Connections with names, and who was dropped in which order.
class OpenConnectionsTest : public testing::Test {
 protected:
    void open(const std::string& name, const char* source = "10.0.0.1") {
        auto place = connections_.enter(make_address(source));
        place->on_drop([this, name] {
            dropped_.push_back(name);
            places_.erase(name);
        });
        places_[name] = std::move(place);
    }

    OpenConnections connections_{{.in_all = 4, .per_source = 2}};
    std::map<std::string, std::unique_ptr<OpenConnections::Place>> places_;
    std::vector<std::string> dropped_;
};

}  // namespace

TEST_F(OpenConnectionsTest, TheOldestOfASourceMakesRoom) {
    open("other", "10.0.0.2");
    open("first");
    open("second");
    EXPECT_THAT(dropped_, IsEmpty());
    open("third");
    EXPECT_THAT(dropped_, ElementsAre("first"));
    EXPECT_EQ(connections_.size(), 3U);
    EXPECT_EQ(connections_.displaced(), 1U);
}

TEST_F(OpenConnectionsTest, TheOldestOfAllMakesRoom) {
    for (const char* source : {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"})
        open(source, source);
    EXPECT_THAT(dropped_, ElementsAre("10.0.0.1"));
    EXPECT_EQ(connections_.size(), 4U);
}

TEST_F(OpenConnectionsTest, FinishedOnesGoFirstThenIdleOnesThenThoseAtWork) {
    for (const char* source : {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"})
        open(source, source);
    places_["10.0.0.3"]->rest();
    places_["10.0.0.2"]->rest();
    places_["10.0.0.4"]->finish();
    for (const char* source : {"10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.4"})
        open(source, source);
    EXPECT_THAT(dropped_, ElementsAre("10.0.0.4", "10.0.0.3", "10.0.0.2", "10.0.0.1"));
}

TEST_F(OpenConnectionsTest, TimeCountsFromTheChangeOfState) {
    open("first");
    open("second");
    places_["first"]->rest();
    places_["second"]->rest();
    places_["first"]->work();
    places_["first"]->rest();
    open("third");
    EXPECT_THAT(dropped_, ElementsAre("second"));
}

TEST_F(OpenConnectionsTest, APlaceGivenBackIsFree) {
    open("first");
    open("second");
    places_.erase("first");
    open("third");
    EXPECT_THAT(dropped_, IsEmpty());
    EXPECT_EQ(connections_.size(), 2U);
}

TEST_F(OpenConnectionsTest, OneSourceIsAnAddressOrANetworkOfIpv6) {
    open("first", "2001:db8::1");
    open("second", "2001:db8::2");
    open("other", "2001:db8:0:1::1");
    EXPECT_THAT(dropped_, IsEmpty());
    open("third", "2001:db8::3");
    EXPECT_THAT(dropped_, ElementsAre("first"));
}

TEST_F(OpenConnectionsTest, AMappedAddressIsTheIpv4One) {
    open("first", "::ffff:10.0.0.1");
    open("second", "10.0.0.1");
    open("third", "::ffff:10.0.0.1");
    EXPECT_THAT(dropped_, ElementsAre("first"));
}

TEST_F(OpenConnectionsTest, DropsWhoIsNotAllowedAnyMore) {
    open("stays");
    open("goes", "10.0.0.2");
    open("goes too", "10.0.0.2");
    connections_.drop_unless([](const auto& source) { return source == make_address("10.0.0.1"); });
    EXPECT_THAT(dropped_, ElementsAre("goes", "goes too"));
    EXPECT_EQ(connections_.size(), 1U);
    EXPECT_EQ(connections_.displaced(), 0U) << "they made room for nobody";
}

TEST(OpenConnections, MayGoBeforeItsPlaces) {
    std::unique_ptr<OpenConnections::Place> place;
    {
        OpenConnections connections({.in_all = 1, .per_source = 1});
        place = connections.enter(make_address("10.0.0.1"));
    }
    place->rest();
    place.reset();
}

}  // namespace wcs_node_agent::test
