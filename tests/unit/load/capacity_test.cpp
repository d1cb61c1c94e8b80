// SPDX-License-Identifier: Apache-2.0
#include "load/capacity.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

Link card(std::uint32_t index, bool carrier = true, std::uint32_t master = 0) {
    return {.index = index, .name = "", .physical = true, .carrier = carrier, .master = master};
}

Link software(std::uint32_t index, const std::string& kind, std::uint32_t master = 0) {
    return {.index = index, .name = "", .carrier = true, .kind = kind, .master = master};
}

constexpr bool no_carrier = false;

struct Row {
    const char* shows;
    std::vector<Link> links;
    std::vector<std::uint32_t> selected;
    LinkSpeeds speeds;
    std::optional<double> megabits;
    std::vector<std::uint32_t> speedless = {};
};

TEST(Capacity, IsTheSumOfTheSelected) {
    const std::vector<Row> rows{
        {"one card", {card(2), card(3)}, {2}, {{2, 1000}, {3, 10000}}, 1000},
        {"two cards", {card(2), card(3)}, {2, 3}, {{2, 1000}, {3, 10000}}, 11000},
        {"nothing selected, nothing known", {card(2)}, {}, {{2, 1000}}, std::nullopt},
        {"half a sum is none: a limit of it would be too low",
         {card(2), card(3)},
         {2, 3},
         {{2, 1000}},
         std::nullopt,
         {3}},
        {"a card that never had a carrier adds nothing",
         {card(2), card(3, no_carrier)},
         {2, 3},
         {{2, 1000}},
         1000},
        {"alone it is no error, but no capacity either", {card(2, no_carrier)}, {2}, {}, {}},
        {"software is not waited for", {software(2, "dummy")}, {2}, {}, {}, {2}},
        {"a card that has lost its carrier counts with its last speed",
         {card(2, no_carrier)},
         {2},
         {{2, 1000}},
         1000},
        {"a bond of two cards that both carry",
         {card(2, true, 7), card(3, true, 7), software(7, "bond")},
         {2, 3},
         {{2, 10000}, {3, 10000}, {7, 20000}},
         20000},
        {"a bond of which one card stands by",
         {card(2, true, 7), card(3, true, 7), software(7, "bond")},
         {2, 3},
         {{2, 10000}, {3, 10000}, {7, 10000}},
         10000},
        {"a team, and a card beside it",
         {card(2, true, 7), card(3, true, 7), card(4), software(7, "team")},
         {2, 3, 4},
         {{2, 10000}, {3, 10000}, {4, 1000}, {7, 10000}},
         11000},
        {"one card selected of a bond of two carries no more than itself",
         {card(2, true, 7), card(3, true, 7), software(7, "bond")},
         {2},
         {{2, 10000}, {3, 10000}, {7, 20000}},
         10000},
        {"a bond that reports nothing: its ports",
         {card(2, true, 7), card(3, true, 7), software(7, "bond")},
         {2, 3},
         {{2, 10000}, {3, 10000}},
         20000},
        {"a bond answers for ports of no known speed",
         {card(2, true, 7), card(3, true, 7), software(7, "bond")},
         {2, 3},
         {{2, 10000}, {7, 10000}},
         10000},
        {"a bridge's speed is not its ports' capacity",
         {card(2, true, 7), card(3, true, 7), software(7, "bridge")},
         {2, 3},
         {{2, 1000}, {3, 1000}, {7, 1000}},
         2000},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto capacity = capacity_of(row.links, row.selected, row.speeds);
        EXPECT_EQ(capacity.megabits, row.megabits);
        EXPECT_EQ(capacity.speedless, row.speedless);
    }
}

TEST(Capacity, AsksTheSelectedAndTheirBonds) {
    const std::vector<Link> links{card(2, true, 7), card(3, true, 8), card(4), software(7, "bond"),
                                  software(8, "bridge")};
    using Indexes = std::vector<std::uint32_t>;
    EXPECT_EQ(speeds_wanted(links, Indexes{2, 3}), (Indexes{2, 3, 7}));
    EXPECT_EQ(speeds_wanted(links, Indexes{}), Indexes{});
}

TEST(EffectiveMaximum, SharesAreOfTheCapacity) {
    struct MaximumRow {
        const char* shows;
        std::optional<LimitMaximum> configured;
        std::optional<double> capacity;
        std::optional<double> effective;
    };
    const std::vector<MaximumRow> rows{
        {"a number", 500, 10000, 500},
        {"a share", LimitMaximum::share_of_link(80), 10000, 8000},
        {"what is off stays off", {}, 10000, {}},
        {"a number needs no capacity", 500, {}, 500},
        {"a share of what is not known is no limit, never 0",
         LimitMaximum::share_of_link(80),
         {},
         {}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        auto limits = default_limits();
        auto& limit = named(limits, "band_in");
        limit.maximum = row.configured;
        EXPECT_EQ(effective_maximum(limit, row.capacity), row.effective);
        EXPECT_EQ(has_share(limits), row.configured && row.configured->is_share);
    }
}

}  // namespace
}  // namespace wcs_node_agent
