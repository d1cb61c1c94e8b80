// SPDX-License-Identifier: Apache-2.0
#include "daemon/capacity_follower.hpp"

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A link wan0, and what its driver says of its speed.
class CapacityFollowing : public testing::Test {
 protected:
    void SetUp() override {
        spdlog::set_default_logger(std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_st>(log_)));
        named(limits_, "band_out").maximum = LimitMaximum::share_of_link(80);
    }
    void TearDown() override { spdlog::set_default_logger(before_); }

    std::optional<double> band_out() {
        const auto capacity = follower_.capacity(limits_, links_, selected_, now_);
        return effective_maximum(named(limits_, "band_out"), capacity);
    }
    /// What band_out is once a change has been told.
    std::optional<double> band_out_after_change() {
        follower_.expect_change();
        return band_out();
    }
    std::string log_since_last() {
        auto text = log_.str();
        log_.str("");
        return text;
    }

    std::map<std::string, std::uint32_t> speeds_{{"wan0", 1000}};
    int asked_ = 0;
    CapacityFollower follower_{[this](const std::string& name) -> std::optional<std::uint32_t> {
        ++asked_;
        const auto found = speeds_.find(name);
        return found == speeds_.end() ? std::nullopt : std::optional(found->second);
    }};
    std::vector<Link> links_{{.index = 2, .name = "wan0", .physical = true, .carrier = true},
                             {.index = 3, .name = "wan1", .physical = true, .carrier = true}};
    std::vector<std::uint32_t> selected_{2};
    Limits limits_ = default_limits();
    Clock::time_point now_{1000s};
    std::ostringstream log_;
    std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

TEST_F(CapacityFollowing, ANewSpeedIsSeenWithTheNextReading) {
    EXPECT_EQ(band_out(), 800);
    EXPECT_THAT(log_since_last(), HasSubstr("band_out: 80% of 1000 Mbit/s"));
    speeds_["wan0"] = 100;
    now_ += 4s;
    EXPECT_EQ(band_out(), 800) << "not read with each sample";
    now_ += 1s;
    EXPECT_EQ(band_out(), 80);
    EXPECT_THAT(log_since_last(), HasSubstr("band_out: 80% of 100 Mbit/s"));
}

TEST_F(CapacityFollowing, ATellingOfLinksIsAReasonToReadAtOnce) {
    EXPECT_EQ(band_out(), 800);
    speeds_["wan0"] = 100;
    EXPECT_EQ(band_out_after_change(), 80);
    selected_ = {2, 3};
    speeds_["wan1"] = 900;
    EXPECT_EQ(band_out_after_change(), 800);
}

TEST_F(CapacityFollowing, TheLastSpeedStandsAndThatIsToldOnce) {
    EXPECT_EQ(band_out(), 800);
    log_since_last();
    speeds_.clear();
    links_[0].carrier = false;
    EXPECT_EQ(band_out_after_change(), 800);
    EXPECT_THAT(log_since_last(), HasSubstr("no speed for wan0 any more: its last, 1000 Mbit/s"));
    EXPECT_EQ(band_out_after_change(), 800);
    EXPECT_THAT(log_since_last(), IsEmpty());
    EXPECT_THAT(follower_.check(limits_, links_, selected_), IsEmpty()) << "nor is it a fault";

    speeds_["wan0"] = 2500;
    EXPECT_EQ(band_out_after_change(), 2000);
    speeds_.clear();
    log_since_last();
    EXPECT_EQ(band_out_after_change(), 2000);
    EXPECT_THAT(log_since_last(), HasSubstr("2500")) << "the next loss is told again";
}

TEST_F(CapacityFollowing, ANewLinkOfNoKnownSpeedLeavesTheLimitWithoutMaximum) {
    EXPECT_EQ(band_out(), 800);
    log_since_last();
    selected_ = {3};
    EXPECT_EQ(band_out_after_change(), std::nullopt);
    EXPECT_THAT(log_since_last(), testing::AllOf(HasSubstr("[error]"), HasSubstr("wan1"),
                                                 HasSubstr("not checked"), Not(HasSubstr("wan0"))));
    EXPECT_EQ(band_out_after_change(), std::nullopt);
    EXPECT_THAT(log_since_last(), IsEmpty()) << "told once";
    speeds_["wan1"] = 100;
    EXPECT_EQ(band_out_after_change(), 80);
}

TEST_F(CapacityFollowing, WhatHasGoneIsForgotten) {
    EXPECT_EQ(band_out(), 800);
    const auto wan0 = links_[0];
    links_.erase(links_.begin());
    selected_.clear();
    EXPECT_EQ(band_out_after_change(), std::nullopt);
    speeds_.clear();
    links_.insert(links_.begin(), wan0);
    selected_ = {2};
    EXPECT_EQ(band_out_after_change(), std::nullopt) << "the same index may be another link";
}

TEST_F(CapacityFollowing, NobodyIsAskedWithoutAShare) {
    named(limits_, "band_out").maximum = 500;
    EXPECT_EQ(band_out(), 500);
    EXPECT_THAT(follower_.check(limits_, links_, selected_), IsEmpty());
    EXPECT_EQ(asked_, 0);
}

TEST_F(CapacityFollowing, AShareOfALinkWithoutSpeedIsAFaultOfTheConfiguration) {
    named(limits_, "band_in").maximum = LimitMaximum::share_of_link(12.5);
    EXPECT_THAT(follower_.check(limits_, links_, selected_), IsEmpty());
    selected_ = {2, 3};
    EXPECT_EQ(to_string(follower_.check(limits_, links_, selected_)),
              "band_in: \"12.5%\" is a share of the link's speed, and the kernel reports none for "
              "wan1: give the limit in Mbit/s\n"
              "band_out: \"80%\" is a share of the link's speed, and the kernel reports none for "
              "wan1: give the limit in Mbit/s\n");
    links_[1].carrier = false;
    EXPECT_THAT(follower_.check(limits_, links_, selected_), IsEmpty())
        << "a card without a carrier may yet have one";
}

TEST_F(CapacityFollowing, ASpeedThatNoWireHasIsNone) {
    struct Row {
        const char* shows;
        std::vector<Link> links;  // of which the one of index 2 is selected
        std::map<std::string, std::uint32_t> speeds;
        std::optional<double> capacity;
    };
    const Link veth{.index = 3, .name = "veth0", .kind = "veth", .master = 2};
    const Link card{.index = 4, .name = "eth0", .physical = true, .carrier = true, .master = 2};
    const Link bridge{.index = 2, .name = "br0", .kind = "bridge"};
    const Link bond{.index = 2, .name = "bond0", .kind = "bond"};
    const Link tun{.index = 2, .name = "tun0", .kind = "tun"};
    const std::vector<Row> rows{
        {"a veth", {{.index = 2, .name = "veth0", .kind = "veth"}}, {{"veth0", 10000}}, {}},
        {"a tun as it is made", {tun}, {{"tun0", 10000}}, {}},
        {"a tun as it is made before Linux 6.0", {tun}, {{"tun0", 10}}, {}},
        {"a tun whose speed somebody has set", {tun}, {{"tun0", 2500}}, 2500},
        {"a card of 10 Gbit/s",
         {{.index = 2, .name = "eth0", .physical = true}},
         {{"eth0", 10000}},
         10000},
        {"a bridge of guests", {bridge, veth}, {{"br0", 10000}, {"veth0", 10000}}, {}},
        {"a bridge of guests and a card",
         {bridge, veth, card},
         {{"br0", 10000}, {"veth0", 10000}, {"eth0", 1000}},
         1000},
        {"a VLAN of a veth",
         {{.index = 2, .name = "v", .kind = "vlan", .lower = 3}, veth},
         {{"v", 10000}, {"veth0", 10000}},
         {}},
        {"a VLAN of a card",
         {{.index = 2, .name = "v", .kind = "vlan", .lower = 4}, card},
         {{"v", 1000}, {"eth0", 1000}},
         1000},
        {"a bond of a veth", {bond, veth}, {{"bond0", 10000}, {"veth0", 10000}}, {}},
        {"a bond of a card", {bond, card}, {{"bond0", 1000}, {"eth0", 1000}}, 1000},
        {"a bond whose card waits for a carrier", {bond, card}, {{"bond0", 1000}}, 1000},
        {"a circle, which the kernel does not make",
         {{.index = 2, .name = "v", .kind = "vlan", .lower = 2}},
         {{"v", 1000}},
         {}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        links_ = row.links;
        speeds_ = row.speeds;
        CapacityFollower follower{[this](const std::string& name) -> std::optional<std::uint32_t> {
            const auto found = speeds_.find(name);
            return found == speeds_.end() ? std::nullopt : std::optional(found->second);
        }};
        EXPECT_EQ(follower.capacity(limits_, links_, selected_, now_), row.capacity);
    }
}

}  // namespace
}  // namespace wcs_node_agent
