// SPDX-License-Identifier: Apache-2.0
#include "wcs/page.hpp"

#include "page_reading.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using test::no_names;
using test::parse;
using test::parsed;
using test::plenty;
using test::sample;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

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

TEST(Bound, EntriesPastItAreCounted) {
    const auto page = parse("a=1\nb=x\nc=3\nd=y\na=5\n", 2, no_names()).value();
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

TEST(Bound, OfOneEntry) {
    const std::string fits(4094, '0');
    const std::string digits(4095, '1');
    const std::string spaces(5000, ' ');
    const struct {
        const char* shows;
        std::string body;
        std::size_t kept;
        std::size_t left_out;
    } rows[] = {
        {"a line of 4 KiB", "a=" + fits + "\nb=1", 2, 0},
        {"a longer line", "a=" + fits + "0\nb=1", 1, 1},
        {"a longer line at the end", "b=1\na=" + fits + "0", 1, 1},
        {"a name of that length", std::string(5000, 'a') + "=1\nb=1", 1, 0},
        {"a header of that length", "-a=" + fits + "\nb=1", 1, 0},
        {"white space of that length", "b=1\n" + spaces + "\n\n", 1, 0},
        {"white space of that length, then an entry", "b=1\n" + spaces + "a=1\n", 1, 0},
        {"a repeated name is dropped by a line too long", "a=1\na=" + fits + "0\nb=1", 1, 1},
        {"a JSON string of 4 KiB", "{\"a\":\"00" + fits + "\",\"b\":1}", 2, 0},
        {"a longer JSON string", "{\"a\":\"000" + fits + "\",\"b\":1}", 1, 1},
        {"escapes count as what they are", "{\"a\":\"\\u0030\\u0030" + fits + "\",\"b\":1}", 2, 0},
        {"a JSON number of 4 KiB", "{\"a\":0." + fits + ",\"b\":1}", 2, 0},
        {"a longer JSON number", "{\"a\":0." + digits + ",\"b\":1}", 1, 1},
        {"a JSON name of that length", "{\"" + digits + "\":1,\"b\":1}", 1, 0},
        {"what is in an array", "{\"a\":[\"" + digits + "0\",0." + digits + "],\"b\":1}", 1, 1},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto page = parsed(row.body);
        EXPECT_EQ(page.numbers.size(), row.kept);
        EXPECT_TRUE(page.numbers.contains("b"));
        EXPECT_THAT(page.texts, IsEmpty());
        EXPECT_EQ(page.left_out, row.left_out);
    }
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
        {"a byte order mark cut short", "\xEF\xBB", "not a single key=value line"},
        {"a byte order mark and HTML", "\xEF\xBB\xBF <!DOCTYPE html>", "an HTML page"},
        {"HTML", "\n<html><a href=\"x\">", "an HTML page"},
        {"binary", std::string("\x01\0=\x02", 4), "binary data"},
        {"prose", "It works!\n", "not a single key=value line"},
        {"headers alone", "-----Stats-----\n", "not a single key=value line"},
        {"names that are none", "\xff=\n=1\n", "not a single key=value line"},
        {"JSON cut off", R"({"g":{"a":1)", "not JSON: syntax error at byte 12"},
        {"JSON with rubbish after it", R"({"g":{"a":1}} x)", "not JSON: syntax error at byte 15"},
        {"JSON with a number past any double", R"({"a":1e999})", "not JSON: syntax error at byte"},
        {"JSON with a long number past any double", R"({"a":1)" + std::string(5000, '0') + "}",
         "not JSON: syntax error at byte"},
        {"JSON not in UTF-8", "{\"a\":\"\xff\"}", "not JSON: syntax error at byte"},
        {"JSON with a character cut short", "{\"a\":\"\xe2\x82\"}",
         "not JSON: syntax error at byte"},
        {"JSON with half a surrogate pair", R"({"a":"\ud83d"})", "not JSON: syntax error at byte"},
        {"JSON with a line break in a string", "{\"a\":\"\n\"}",
         "not JSON: syntax error at byte 7"},
        {"JSON with a comment", R"({"a":1/**/})", "not JSON: syntax error at byte 7"},
        {"JSON with a comma too many", R"({"a":1,})", "not JSON: syntax error at byte 8"},
        {"JSON with a leading zero", R"({"a":01})", "not JSON: syntax error at byte 7"},
        {"JSON with what is no number", R"({"a":nan})", "not JSON: syntax error at byte"},
        {"two JSON pages", R"({"a":1}{"a":1})", "not JSON: syntax error at byte 8"},
        {"JSON with a NUL", std::string("{\"a\":\0}", 7), "not JSON: syntax error at byte 6"},
        {"JSON without values", R"({"g":{},"n":null,"l":[1]})", "JSON without a single value"},
        {"JSON too deep", deep, "JSON nested deeper than 16 levels"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto page = parse(row.body, plenty, CountNames{});
        ASSERT_FALSE(page);
        EXPECT_THAT(page.error().what, HasSubstr(row.error));
    }
}

TEST(NoPage, DeepArraysAreNoDanger) {
    const std::string closed = std::string(200, '[') + std::string(200, ']');
    EXPECT_THAT(parsed("{\"a\":" + closed + ",\"b\":1}").numbers, ElementsAre(Pair("b", 1)));
    const auto page = parse("{\"a\":" + std::string(1'000'000, '['), plenty, CountNames{});
    ASSERT_FALSE(page);
    EXPECT_THAT(page.error().what, HasSubstr("not JSON: nested too deep at byte 261"));
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
