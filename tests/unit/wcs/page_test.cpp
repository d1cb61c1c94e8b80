// SPDX-License-Identifier: Apache-2.0
#include "wcs/page.hpp"

#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr std::size_t plenty = 1000;

std::string sample(const std::string& name) {
    std::ifstream file(WNA_TEST_DATA "/wcs/" + name);
    EXPECT_TRUE(file) << name;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

WcsPage parsed(std::string_view body, std::size_t max_entries = plenty) {
    auto page = parse_page(body, max_entries, CountNames{});
    EXPECT_TRUE(page) << page.error().what;
    return page ? *page : WcsPage{};
}

/// Names that do not get in the way of tests of the bound.
CountNames no_names() {
    CountNames names;
    names.publishers = {};
    names.subscribers = {};
    names.hls = {};
    return names;
}

StreamCounts counts(std::array<std::optional<double>, 3> publishers,
                    std::array<std::optional<double>, 3> subscribers, std::optional<double> hls,
                    std::string missing) {
    return {publishers, subscribers, hls, std::move(missing)};
}

TEST(Samples, GiveTheirCounts) {
    const struct {
        const char* file;
        std::size_t numbers;
        std::size_t texts;
        StreamCounts counts;
    } rows[] = {
        {"node1.txt", 26, 2, counts({1, 0, 0}, {0, 0, 0}, 0, "")},
        {"node2.txt", 26, 2, counts({1, 0, 0}, {0, 0, 0}, 0, "")},
        {"busy-node.txt", 35, 2, counts({38, 6, 3}, {311, 12, 2}, 17, "")},
        {"damaged-underscores.txt", 26, 2,
         counts({1, 0, 0}, {std::nullopt, 0, 0}, 0, "streams_webrtc_out")},
        {"legacy-flat.txt", 12, 1,
         counts({std::nullopt, std::nullopt, std::nullopt},
                {std::nullopt, std::nullopt, std::nullopt}, std::nullopt, "streams_webrtc_in")},
        {"node1.json", 13, 2, counts({1, 0, 0}, {0, 0, 0}, 0, "")},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.file);
        const auto page = parsed(sample(row.file));
        EXPECT_THAT(page.numbers, SizeIs(row.numbers));
        EXPECT_THAT(page.texts, SizeIs(row.texts));
        EXPECT_EQ(page.left_out, 0U);
        EXPECT_EQ(count_streams(page, CountNames{}), row.counts);
    }
}

TEST(Samples, JsonHasTheNamesOfTheText) {
    const auto json = parsed(sample("node1.json"));
    const auto text = parsed(sample("node1.txt"));
    for (const auto& [name, number] : json.numbers) {
        ASSERT_TRUE(text.numbers.contains(name)) << name;
        EXPECT_EQ(number, text.numbers.at(name)) << name;
    }
    EXPECT_EQ(json.texts, text.texts);
}

TEST(TextPage, Lines) {
    const struct {
        const char* shows;
        std::string body;
        const char* name;
        double number;
    } rows[] = {
        {"LF", "a=1\nb=2\n", "b", 2},
        {"CRLF", "a=1\r\nb=2\r\n", "b", 2},
        {"no end of line after the last one", "a=1\nb=2", "b", 2},
        {"byte order mark",
         "\xEF\xBB\xBF"
         "a=1\n",
         "a", 1},
        {"blank lines", "\n\n  \n a=1\n", "a", 1},
        {"spaces around both", "  a b \t=  1 \n", "a b", 1},
        {"a header of one dash", "-Stats\na=1", "a", 1},
        {"a header that holds an equals sign", "--x=3--\nx=1", "x", 1},
        {"a line without an equals sign", "nothing here\na=1", "a", 1},
        {"the last of a repeated name", "a=1\na=2\n", "a", 2},
        {"a number after a text of that name", "a=x\na=2\n", "a", 2},
        {"negative", "a=-37", "a", -37},
        {"fraction", "a=2.5", "a", 2.5},
        {"exponent as Java prints it", "a=1.0E10", "a", 1e10},
        {"a name in UTF-8", "a\u00e9=1", "a\u00e9", 1},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto page = parsed(row.body);
        ASSERT_TRUE(page.numbers.contains(row.name));
        EXPECT_EQ(page.numbers.at(row.name), row.number);
        EXPECT_THAT(page.texts, IsEmpty());
    }
}

TEST(TextPage, WhatIsNoNumberStaysText) {
    for (const std::string value :
         {"test/-37", "1=2", "12a", "0x10", "+5", "1,5", "1 2", "nan", "inf", "-inf", "1e999", "",
          "true", "-", "\u0442\u0435\u0441\u0442/0"}) {
        SCOPED_TRACE(value);
        const auto page = parsed("a=" + value + "\n");
        EXPECT_THAT(page.numbers, IsEmpty());
        EXPECT_THAT(page.texts, ElementsAre(Pair("a", value)));
    }
}

TEST(TextPage, TextReplacesANumberOfThatName) {
    const auto page = parsed("a=1\na=x\n");
    EXPECT_THAT(page.numbers, IsEmpty());
    EXPECT_THAT(page.texts, ElementsAre(Pair("a", "x")));
}

TEST(TextPage, NamesThatCannotBeShownArePassedOver) {
    const std::string long_name(129, 'n');
    for (const auto& name : {std::string("\x01"), std::string("\xff"), std::string("\xc3"),
                             std::string("a\x7f"), std::string(), long_name}) {
        SCOPED_TRACE(name);
        const auto page = parsed(name + "=1\nb=2\n");
        EXPECT_THAT(page.numbers, ElementsAre(Pair("b", 2)));
        EXPECT_THAT(page.texts, IsEmpty());
    }
}

TEST(TextPage, TextsThatCannotBeKeptAreCounted) {
    const auto page = parsed("long=" + std::string(1025, 'x') +
                             "\nbroken=\xff\nfits=" + std::string(1024, 'x') + "\n");
    EXPECT_THAT(page.texts, ElementsAre(Pair("fits", SizeIs(1024))));
    EXPECT_EQ(page.left_out, 2U);
}

TEST(Bound, EntriesPastItAreCounted) {
    const auto page = parse_page("a=1\nb=x\nc=3\nd=y\na=5\n", 2, no_names()).value();
    EXPECT_THAT(page.numbers, ElementsAre(Pair("a", 5)));
    EXPECT_THAT(page.texts, ElementsAre(Pair("b", "x")));
    EXPECT_EQ(page.left_out, 2U);
}

TEST(Bound, NeverTakesTheNamesOfCounts) {
    const auto page = parsed(sample("busy-node.txt"), 0);
    EXPECT_THAT(page.numbers, SizeIs(7));
    EXPECT_EQ(page.left_out, 30U);
    EXPECT_EQ(count_streams(page, CountNames{}), counts({38, 6, 3}, {311, 12, 2}, 17, ""));
}

TEST(Bound, HoldsOnAHugePage) {
    std::string body;
    for (int line = 0; line < 100'000; ++line) {
        body += "padding_of_some_length_so_that_a_page_of_ten_megabytes_comes_together_from_it_" +
                std::to_string(line) + "=" + std::to_string(line) + "\n";
    }
    body += sample("busy-node.txt");
    const auto page = parsed(body, 256);
    EXPECT_THAT(page.numbers, SizeIs(256 + 7));
    EXPECT_EQ(page.left_out, 100'000U + 37 - 256 - 7);
    EXPECT_EQ(count_streams(page, CountNames{}).hls, 17);
}

TEST(JsonPage, Values) {
    const auto page = parsed(R"({
        "group": {"integer": -3, "large": 18446744073709551615, "fraction": 2.5, "numeric": " 7 ",
                  "text": "a/0", "yes": true, "no": false, "nothing": null, "empty": {},
                  "list": [1, {"in": 2}, [3]],
                  "deep": {"er": 4, "still": {"deeper": "5"}}},
        "flat": 6, "other": {"integer": 8}})");
    EXPECT_THAT(page.numbers,
                UnorderedElementsAre(Pair("integer", 8), Pair("large", 18446744073709551615.0),
                                     Pair("fraction", 2.5), Pair("numeric", 7), Pair("deep.er", 4),
                                     Pair("deep.still.deeper", 5), Pair("flat", 6)));
    EXPECT_THAT(page.texts, UnorderedElementsAre(Pair("text", "a/0"), Pair("yes", "true"),
                                                 Pair("no", "false")));
    EXPECT_EQ(page.left_out, 1U) << "the list";
}

TEST(JsonPage, ByteOrderMarkAndSpaceBefore) {
    EXPECT_THAT(parsed("\xEF\xBB\xBF \r\n{\"g\":{\"a\":1}}\n").numbers, ElementsAre(Pair("a", 1)));
}

TEST(JsonPage, NamesThatCannotBeShownArePassedOver) {
    const auto page = parsed(R"({"g":{"line\nbreak":1,"":2,"b":3}})");
    EXPECT_THAT(page.numbers, ElementsAre(Pair("b", 3)));
}

TEST(JsonPage, BoundedLikeText) {
    const auto page =
        parse_page(R"({"g":{"a":1,"b":2,"c":"x","streams_hls":4}})", 1, CountNames{}).value();
    EXPECT_THAT(page.numbers, ElementsAre(Pair("a", 1), Pair("streams_hls", 4)));
    EXPECT_EQ(page.left_out, 2U);
}

TEST(NoPage, SaysWhatItIsInstead) {
    std::string deep;
    for (int level = 0; level < 17; ++level) {
        deep += R"({"a":)";
    }
    const struct {
        const char* shows;
        std::string body;
        const char* error;
    } rows[] = {
        {"nothing", "", "empty"},
        {"white space", " \r\n\t\n", "empty"},
        {"a byte order mark alone", "\xEF\xBB\xBF", "empty"},
        {"HTML", "\n<html><a href=\"x\">", "an HTML page"},
        {"binary", std::string("\x01\0=\x02", 4), "binary data"},
        {"prose", "It works!\n", "not a single key=value line"},
        {"headers alone", "-----Stats-----\n", "not a single key=value line"},
        {"names that are none", "\xff=\n=1\n", "not a single key=value line"},
        {"JSON cut off", R"({"g":{"a":1)", "not JSON: syntax error at byte 12"},
        {"JSON with rubbish after it", R"({"g":{"a":1}} x)", "not JSON: syntax error at byte 15"},
        {"JSON with a number past any double", R"({"a":1e999})", "not JSON: syntax error at byte"},
        {"JSON not in UTF-8", "{\"a\":\"\xff\"}", "not JSON: syntax error at byte"},
        {"JSON without values", R"({"g":{},"n":null,"l":[1]})", "JSON without a single value"},
        {"JSON too deep", deep, "JSON nested deeper than 16 levels"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto page = parse_page(row.body, plenty, CountNames{});
        ASSERT_FALSE(page);
        EXPECT_THAT(page.error().what, HasSubstr(row.error));
    }
}

TEST(NoPage, DeepArraysAreNoDanger) {
    const auto page = parse_page("{\"a\":" + std::string(1'000'000, '['), plenty, CountNames{});
    ASSERT_FALSE(page);
    EXPECT_THAT(page.error().what, HasSubstr("not JSON"));
}

TEST(Counts, SeveralNamesAreAddedUp) {
    CountNames names;
    names.subscribers[0] = {"streams_webrtc_out", "streams_websocket_out"};
    names.hls = {"streams_hls", "connections_hls"};
    const auto page = parsed(sample("busy-node.txt"));
    EXPECT_EQ(count_streams(page, names), counts({38, 6, 3}, {318, 12, 2}, 46, ""));
}

TEST(Counts, WithoutNamesIsNone) {
    EXPECT_EQ(count_streams(WcsPage{}, no_names()), counts({0, 0, 0}, {0, 0, 0}, 0, ""));
}

TEST(Counts, WhatCannotBeACountIsUnknown) {
    for (const std::string value : {"-1", "1000000001", "many", ""}) {
        SCOPED_TRACE(value);
        CountNames names = no_names();
        names.hls = {"here", "wrong"};
        const auto counted = count_streams(parsed("here=1\nwrong=" + value + "\n"), names);
        EXPECT_EQ(counted, counts({0, 0, 0}, {0, 0, 0}, std::nullopt, "wrong"));
    }
}

TEST(Counts, TheFirstMissingNameIsTold) {
    CountNames names;
    names.publishers[1] = {"first", "second"};
    names.hls = {"third"};
    const auto counted = count_streams(parsed(sample("busy-node.txt")), names);
    EXPECT_EQ(counted, counts({38, std::nullopt, 3}, {311, 12, 2}, std::nullopt, "first"));
}

}  // namespace
}  // namespace wcs_node_agent
