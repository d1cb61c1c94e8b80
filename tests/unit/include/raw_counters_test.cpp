// SPDX-License-Identifier: Apache-2.0
#include <wcs_node_agent/raw_counters.hpp>

#include <set>
#include <string_view>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

/// A different figure in each counter, above this one.
Traffic traffic_above(std::uint64_t base) {
    Traffic traffic;
    for (const auto& counter : all_traffic_counters) traffic.*counter.value = ++base;
    return traffic;
}

TEST(Traffic, EachCounterHasOneRow) {
    std::set<std::string_view> names;
    Traffic traffic;
    for (const auto& [value, name, description, is_sent] : all_traffic_counters) {
        EXPECT_EQ(traffic.*value, 0u) << name << " is the counter of another row too";
        traffic.*value = 1;
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_EQ(name.starts_with("transmit_"), is_sent);
        EXPECT_FALSE(description.empty());
    }
}

TEST(Traffic, SumsEachCounter) {
    auto sum = traffic_above(100);
    sum += traffic_above(1000);
    std::uint64_t expected = 1100;
    for (const auto& counter : all_traffic_counters)
        EXPECT_EQ(sum.*counter.value, expected += 2) << counter.name;
}

TEST(Traffic, IncreasesByWhatEachCounterHasGrown) {
    const auto before = traffic_above(100);
    const auto after = traffic_above(1000);
    for (const auto& counter : all_traffic_counters)
        EXPECT_EQ(increase(before, after).*counter.value, 900u) << counter.name;
    EXPECT_EQ(increase(after, after), Traffic());
}

TEST(Traffic, ACounterThatStartedAnewAddsNothingAndTheOthersGoOn) {
    const auto before = traffic_above(100);
    for (const auto& restarted : all_traffic_counters) {
        auto after = traffic_above(1000);
        after.*restarted.value = 5;
        for (const auto& counter : all_traffic_counters)
            EXPECT_EQ(increase(before, after).*counter.value,
                      counter.value == restarted.value ? 0u : 900u)
                << counter.name;
    }
}

}  // namespace
}  // namespace wcs_node_agent
