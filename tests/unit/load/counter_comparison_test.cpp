// SPDX-License-Identifier: Apache-2.0
#include "load/counter_comparison.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {

namespace {

struct Row {
    const char* shows;
    Flow ours;
    std::uint64_t repeated_bytes;
    Flow device;
    Lead lead;
    DeviceTraits traits;
    Comparison right;
};

constexpr DeviceTraits at_once{};
constexpr DeviceTraits card{.updates_late = true};
constexpr DeviceTraits tunnel{.is_tunnel = true};

TEST(CounterComparison, OnlyWhatNoWayOfCountingExplainsIsADisagreement) {
    const std::vector<Row> rows{
        {"nothing on either side", {}, 0, {}, {}, at_once, Comparison::idle},
        {"the same", {1'000'000, 1000}, 0, {1'000'000, 1000}, {}, at_once, Comparison::agrees},
        {"a device that leaves out layer 2 headers",
         {1'000'000, 10'000},
         0,
         {860'000, 10'000},
         {},
         at_once,
         Comparison::agrees},
        {"a card that counts padding and the frame check sequence",
         {420'000, 10'000},
         0,
         {640'000, 10'000},
         {},
         card,
         Comparison::agrees},
        {"a device that counts an aggregate as one packet, without its segments' headers",
         {4'500'000, 3000},
         200'000,
         {4'300'000, 70},
         {},
         at_once,
         Comparison::agrees},
        {"a card that counts the segments of an aggregate",
         {4'500'000, 3000},
         200'000,
         {4'500'000, 3000},
         {},
         card,
         Comparison::agrees},
        {"a tunnel that counts the outer packets",
         {1'000'000, 1000},
         0,
         {1'100'000, 1000},
         {},
         tunnel,
         Comparison::agrees},
        {"the same, of what is no tunnel",
         {1'000'000, 1000},
         0,
         {1'100'000, 1000},
         {},
         at_once,
         Comparison::blind},
        {"none of ours", {}, 0, {10'000, 10}, {}, at_once, Comparison::blind},
        {"a frame or two may be chance", {}, 0, {3000, 3}, {}, at_once, Comparison::agrees},
        {"none of ours, of a card", {}, 0, {500'000, 500}, {}, card, Comparison::blind},
        {"a tenth is missing",
         {9'000'000, 9000},
         0,
         {10'000'000, 10'000},
         {},
         at_once,
         Comparison::blind},
        {"a tenth is missing, of frames of 60 bytes, to which a card may add 24: not told apart",
         {540'000, 9000},
         0,
         {600'000, 10'000},
         {},
         card,
         Comparison::agrees},
        {"half is missing, of frames of 60 bytes",
         {3'000'000, 50'000},
         0,
         {6'000'000, 100'000},
         {},
         at_once,
         Comparison::blind},
        {"none of the device's", {10'000, 10}, 0, {}, {}, at_once, Comparison::excess},
        {"none of the device's, as all waits in its queue",
         {10'000, 10},
         0,
         {},
         {.queued = {10'000, 10}},
         at_once,
         Comparison::agrees},
        {"what waits in the queue and what left it",
         {10'000'000, 10'000},
         0,
         {4'000'000, 4000},
         {.queued = {6'000'000, 6000}},
         at_once,
         Comparison::agrees},
        {"frames that neither waits nor left",
         {10'000'000, 10'000},
         0,
         {4'000'000, 4000},
         {.queued = {1'000'000, 1000}},
         at_once,
         Comparison::excess},
        {"what ours had counted before, none of ours since",
         {},
         0,
         {30'000, 30},
         {.before = {30'000, 30}},
         at_once,
         Comparison::agrees},
        {"more than ours had counted before",
         {},
         0,
         {40'000, 40},
         {.before = {30'000, 30}},
         at_once,
         Comparison::blind},
        {"ours had counted more before than the device tells of",
         {1000, 1},
         0,
         {1000, 1},
         {.before = {30'000, 30}},
         at_once,
         Comparison::agrees},
        {"twice what left",
         {20'000'000, 20'000},
         0,
         {10'000'000, 10'000},
         {},
         at_once,
         Comparison::excess},
        {"a card that is 100 ms late at 1 Mbit/s",
         {25'000, 20},
         0,
         {},
         {},
         card,
         Comparison::agrees},
    };
    for (const auto& row : rows)
        EXPECT_EQ(compare(row.ours, row.repeated_bytes, row.device, row.lead, row.traits),
                  row.right)
            << row.shows;
}

TEST(CounterComparison, AsMuchAsTheDeviceCanHaveSeen) {
    EXPECT_EQ(limited_by({10'000, 10}, 0, {}), Flow{}) << "nothing left";
    EXPECT_EQ(limited_by({10'000, 10}, 0, {4000, 4}), (Flow{4000, 4})) << "no aggregates";
    EXPECT_EQ(limited_by({10'000, 10}, 0, {20'000, 20}), (Flow{10'000, 10})) << "no more than ours";
    // Half of two aggregates of 10 segments: one packet of 10,000 bytes, its headers unknown.
    EXPECT_EQ(limited_by({20'000, 20}, 0, {10'000, 1}).bytes, 10'000U);
    EXPECT_EQ(limited_by({21'000, 20}, 1000, {10'000, 1}), (Flow{11'000, 10})) << "aggregates";
}

}  // namespace
}  // namespace wcs_node_agent
