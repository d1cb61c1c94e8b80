// SPDX-License-Identifier: Apache-2.0
#include "load/page_value.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using Keys = std::vector<std::string>;

TEST(PageValue, IsASumOrAPercentageOfOne) {
    WcsPage page;
    page.numbers = {{"busy", 441}, {"quarantine", 8}, {"free", 51}, {"zero", 0}, {"below", -4}};
    page.disputed = {{"two", 1}};
    struct Row {
        const char* shows;
        Keys keys;
        Keys of;
        std::optional<double> value;
        std::string why;
    };
    const std::vector<Row> rows{
        {"a number", {"busy"}, {}, 441, ""},
        {"a sum", {"busy", "quarantine"}, {}, 449, ""},
        {"any number", {"below"}, {}, -4, ""},
        {"a percentage", {"busy", "quarantine"}, {"busy", "quarantine", "free"}, 89.8, ""},
        {"of nothing there is no share",
         {"busy"},
         {"zero"},
         {},
         "zero on the page is 0, "
         "and nothing is a share of that"},
        {"nor of less",
         {"busy"},
         {"zero", "below"},
         {},
         "zero + below on the page is -4, and "
         "nothing is a share of that"},
        {"0 of nothing neither",
         {"zero"},
         {"zero"},
         {},
         "zero on the page is 0, and nothing is a "
         "share of that"},
        {"a number that is missing",
         {"busy", "none"},
         {},
         {},
         "the page has no number named "
         "'none'"},
        {"of the whole", {"busy"}, {"free", "none"}, {}, "the page has no number named 'none'"},
        {"one that is disputed", {"two"}, {}, {}, "the page has different numbers named 'two'"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const Limit limit{.name = "own",
                          .value = LimitValue::page,
                          .unit = LimitUnit::number,
                          .keys = row.keys,
                          .of = row.of};
        const auto value = page_value(limit, page);
        ASSERT_EQ(value.has_value(), row.value.has_value());
        EXPECT_DOUBLE_EQ(value ? *value : 0, row.value.value_or(0));
        EXPECT_EQ(value ? "" : value.error().what, row.why);
    }
}

}  // namespace
}  // namespace wcs_node_agent
