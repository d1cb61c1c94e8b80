// SPDX-License-Identifier: Apache-2.0
#include "haproxy/told_balancers.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;

const auto one = make_address("192.0.2.1");
const auto other = make_address("2001:db8::1");

class ToldBalancersTest : public testing::Test {
 protected:
    ToldBalancersTest() {
        told.repeat_for(30s);
        told.on_change([this] { ++changes; });
    }

    ToldBalancers told;
    int changes = 0;
    Clock::time_point now = Clock::now();
};

TEST_F(ToldBalancersTest, WhoWasToldNothingElseNeverHearsReady) {
    EXPECT_FALSE(told.has_to_hear_ready("", one));
    told.heard_ready("", one, now);
    told.heard_out("", other, now);
    EXPECT_FALSE(told.has_to_hear_ready("", one));
    EXPECT_FALSE(told.has_to_hear_ready("publish", other)) << "another answer";
    EXPECT_TRUE(told.has_to_hear_ready("", other));
    EXPECT_EQ(told.awaiting(), 1U);
    EXPECT_EQ(changes, 1);
}

TEST_F(ToldBalancersTest, ItIsRepeatedForAWhileFromTheFirstTimeOn) {
    told.heard_out("", one, now);
    told.forget_done(now + 240h);
    EXPECT_TRUE(told.has_to_hear_ready("", one)) << "however long it is away";
    const auto first = now + 240h;
    told.heard_ready("", one, first);
    EXPECT_EQ(told.awaiting(), 0U);
    told.heard_ready("", one, first + 20s);
    told.forget_done(first + 29s);
    EXPECT_TRUE(told.has_to_hear_ready("", one)) << "another backend's turn";
    told.forget_done(first + 30s);
    EXPECT_FALSE(told.has_to_hear_ready("", one));
    EXPECT_EQ(changes, 3) << "one each: told, ready, forgotten";
}

TEST_F(ToldBalancersTest, TakenOutAgainItHasToHearItAnew) {
    told.heard_out("", one, now);
    told.heard_ready("", one, now);
    told.heard_out("", one, now + 5s);
    told.forget_done(now + 60s);
    EXPECT_TRUE(told.has_to_hear_ready("", one));
    EXPECT_EQ(told.awaiting(), 1U);
    told.heard_out("", one, now + 61s);
    EXPECT_EQ(changes, 3) << "nothing new";
}

TEST_F(ToldBalancersTest, ARestartForgetsNothing) {
    told.heard_out("", one, now);
    told.heard_out("publish", other, now);
    told.heard_ready("publish", other, now);
    ToldBalancers next;
    next.repeat_for(30s);
    next.restore(told.balancers(), now);
    EXPECT_EQ(next.balancers(), told.balancers());
    EXPECT_EQ(next.awaiting(), 1U);
    next.forget_done(now + 31s);
    EXPECT_FALSE(next.has_to_hear_ready("publish", other));
    EXPECT_TRUE(next.has_to_hear_ready("", one));
}

TEST_F(ToldBalancersTest, WhoHasHeardItForLongIsNotRestored) {
    told.restore({{"", one, std::chrono::system_clock::now() - 31s},
                  {"", other, std::chrono::system_clock::now() + 1h}},
                 now);
    EXPECT_FALSE(told.has_to_hear_ready("", one));
    EXPECT_TRUE(told.has_to_hear_ready("", other)) << "the wall clock was set back";
    told.forget_done(now + 30s);
    EXPECT_FALSE(told.has_to_hear_ready("", other));
}

TEST_F(ToldBalancersTest, OfTooManyThoseAreKeptThatAskedLast) {
    for (std::size_t i = 0; i <= ToldBalancers::most; ++i)
        told.heard_out("", make_address(fmt::format("10.0.{}.{}", i / 256, i % 256)),
                       now + std::chrono::seconds(i));
    EXPECT_EQ(told.balancers().size(), ToldBalancers::most);
    EXPECT_FALSE(told.has_to_hear_ready("", make_address("10.0.0.0")));
    EXPECT_TRUE(told.has_to_hear_ready("", make_address("10.0.1.0")));
}

}  // namespace
}  // namespace wcs_node_agent
