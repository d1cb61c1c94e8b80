// SPDX-License-Identifier: Apache-2.0
#include "haproxy/regular_sources.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

const Clock::time_point start(1000s);

struct Check {
    const char* source;
    std::chrono::nanoseconds at;
};

TEST(RegularSources, ABalancerIsWhoAsksAgainAndAgain) {
    struct Row {
        const char* shows;
        std::vector<Check> checks;
        std::chrono::nanoseconds at;
        std::size_t count;
    };
    const std::vector<Row> rows{
        {"nobody", {}, 0s, 0},
        {"once or twice by hand is no balancer", {{"192.0.2.1", 0s}, {"192.0.2.1", 1s}}, 1s, 0},
        {"three times is", {{"192.0.2.1", 0s}, {"192.0.2.1", 5s}, {"192.0.2.1", 10s}}, 10s, 1},
        {"lines of one balancer are one",
         {{"192.0.2.1", 0s}, {"192.0.2.1", 0s}, {"192.0.2.1", 5s}, {"192.0.2.1", 5s}},
         5s,
         1},
        {"two of them, of both families",
         {{"192.0.2.1", 0s},
          {"2001:db8::1", 1s},
          {"192.0.2.1", 5s},
          {"2001:db8::1", 6s},
          {"192.0.2.1", 10s},
          {"2001:db8::1", 11s}},
         11s,
         2},
        {"for five minutes after it asked last",
         {{"192.0.2.1", 0s}, {"192.0.2.1", 5s}, {"192.0.2.1", 10s}},
         310s,
         1},
        {"and no longer", {{"192.0.2.1", 0s}, {"192.0.2.1", 5s}, {"192.0.2.1", 10s}}, 311s, 0},
        {"who asks once an hour begins anew each time",
         {{"192.0.2.1", 0h}, {"192.0.2.1", 1h}, {"192.0.2.1", 2h}, {"192.0.2.1", 3h}},
         3h,
         0},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        RegularSources sources;
        for (const auto& [source, at] : row.checks)
            sources.add(boost::asio::ip::make_address(source), start + at);
        EXPECT_EQ(sources.count(start + row.at), row.count);
    }
}

TEST(RegularSources, ManyAddressesPushOutThoseThatAskedLongestAgo) {
    RegularSources sources;
    const auto ask = [&](int host, std::chrono::seconds at) {
        for (int i = 0; i < 3; ++i)
            sources.add(
                boost::asio::ip::make_address(fmt::format("10.0.{}.{}", host / 256, host % 256)),
                start + at);
    };
    ask(0, 0s);
    for (int host = 1; host < 1000; ++host) ask(host, 1s);
    EXPECT_EQ(sources.count(start + 1s), RegularSources::most);
    ask(0, 2s);
    EXPECT_EQ(sources.count(start + 2s), RegularSources::most);
}

TEST(RegularSources, WhoHasNotAskedSinceIsExpectedForAWhile) {
    const auto balancer = boost::asio::ip::make_address("192.0.2.1");
    RegularSources sources;
    for (int i = 0; i < 4; ++i) sources.add(balancer, start + i * 5s);
    const auto since = start + 16s;
    EXPECT_EQ(sources.count_silent(start + 14s, since), 0U) << "it has asked since";
    EXPECT_EQ(sources.count_silent(since, since), 1U);
    EXPECT_EQ(sources.count_silent(since, start + 31s), 1U);
    EXPECT_EQ(sources.count_silent(since, start + 32s), 0U) << "three intervals late: it is away";
    sources.add(balancer, start + 20s);
    EXPECT_EQ(sources.count_silent(since, start + 21s), 0U);
}

}  // namespace
}  // namespace wcs_node_agent
