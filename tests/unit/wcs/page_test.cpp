// SPDX-License-Identifier: Apache-2.0
#include "wcs/page.hpp"

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

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

using Cuts = std::vector<std::size_t>;  // positions, in order

Result<WcsPage> parse_cut(std::string_view body, const Cuts& cuts, std::size_t max_entries,
                          const CountNames& names) {
    PageParser parser(max_entries, names);
    std::size_t begin = 0;
    for (const auto end : cuts) {
        parser.feed(body.substr(begin, end - begin));
        begin = end;
    }
    parser.feed(body.substr(begin));
    return parser.finish();
}

Cuts every(std::size_t step, std::size_t size) {
    Cuts cuts;
    for (std::size_t at = step; at < size; at += step) {
        cuts.push_back(at);
    }
    return cuts;
}

/// Ways to cut a body, enough of them to meet it in every state where it is short.
std::vector<Cuts> ways_to_cut(std::size_t size) {
    std::vector<Cuts> ways{every(1, size), every(7, size), every(16384, size)};
    for (std::size_t at = 0; at <= size && size <= 3000; ++at) {
        ways.push_back({at});
    }
    std::minstd_rand random(1);  // the same each time
    std::uniform_int_distribution<std::size_t> position(0, size);
    for (int way = 0; way < 10; ++way) {
        Cuts cuts(1 + random() % 40);
        std::ranges::generate(cuts, [&] { return position(random); });
        std::ranges::sort(cuts);
        ways.push_back(cuts);
    }
    return ways;
}

/// Where in a literal or a character JSON goes wrong is told nearly: the number is not compared.
std::string kind_of_error(const Result<WcsPage>& result) {
    const std::string text = result ? "" : result.error().what;
    return text.substr(0, text.find(" at byte "));
}

auto parts(const Result<WcsPage>& result) {
    const auto page = result ? *result : WcsPage{};
    return std::tuple(page.numbers, page.texts, page.left_out, kind_of_error(result));
}

/// What the body is in one piece, having seen that it is the same in others.
Result<WcsPage> parse(std::string_view body, std::size_t max_entries, const CountNames& names) {
    auto whole = parse_page(body, max_entries, names);
    const auto expected = parts(whole);
    for (const auto& cuts : ways_to_cut(body.size())) {
        if (parts(parse_cut(body, cuts, max_entries, names)) != expected) {
            ADD_FAILURE() << "differs in " << cuts.size() + 1 << " pieces, the first of "
                          << (cuts.empty() ? body.size() : cuts.front()) << " bytes";
            break;
        }
    }
    return whole;
}

WcsPage parsed(std::string_view body, std::size_t max_entries = plenty) {
    auto page = parse(body, max_entries, CountNames{});
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

TEST(JsonPage, Numbers) {
    const struct {
        const char* shows;
        std::string written;
        double number;
    } rows[] = {
        {"zero", "0", 0},
        {"negative zero", "-0", 0},
        {"the least signed integer", "-9223372036854775808", -0x1p63},
        {"more than an unsigned integer", "18446744073709551616", 0x1p64},
        {"less than a signed integer", "-9223372036854775809", -0x1p63},
        {"a fraction to the nearest double", "0.30000000000000004", 0.1 + 0.2},
        {"a small one to the nearest double", "203.5e-22", 203.5e-22},
        {"more digits than a double has", "3.14159265358979323846264338327950288419716939937510",
         3.141592653589793},
        {"an exponent", "-1.5E+3", -1500},
        {"a small exponent", "25e-1", 2.5},
        {"the greatest double", "1.7976931348623157e308", 1.7976931348623157e308},
        {"the least above zero", "5e-324", 5e-324},
        {"too small for a double", "1e-400", 0},
        {"many zeros", "1" + std::string(300, '0'), 1e300},
    };
    for (const auto& row : rows) {
        for (const std::string& after : {std::string(), std::string(40, ' ')}) {
            SCOPED_TRACE(row.shows);
            const auto page = parsed("{\"a\":" + row.written + after + "}");
            EXPECT_THAT(page.numbers, ElementsAre(Pair("a", row.number)));
        }
    }
}

TEST(JsonPage, Strings) {
    const struct {
        const char* shows;
        const char* written;
        const char* text;
    } rows[] = {
        {"escapes", R"(a\"\\\/b)", "a\"\\/b"},
        {"an escape of UTF-16", R"(\u00e9)", "\u00e9"},
        {"a surrogate pair", R"(\uD83D\ude00x)", "\U0001F600x"},
        {"UTF-8", "\u00e9\u20ac\U0001F600", "\u00e9\u20ac\U0001F600"},
        {"escapes among UTF-8", "\u20ac\\/\u20ac\\u20ac", "\u20ac/\u20ac\u20ac"},
        {"white space around", R"( \t\n a b \r)", "a b"},
        {"what JSON says elsewhere", R"({\"b\":[1]})", "{\"b\":[1]}"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto value = parsed(std::string("{\"a\":\"") + row.written + "\"}");
        EXPECT_THAT(value.texts, ElementsAre(Pair("a", row.text)));
    }
    const auto name = parsed(R"({"g":{"\u00e9\/":{"\uD83D\ude00":1}}})");
    EXPECT_THAT(name.numbers, ElementsAre(Pair("\u00e9/.\U0001F600", 1)));
}

TEST(JsonPage, TheLastOfARepeatedName) {
    const auto page = parsed(R"({"g":{"a":1,"b":"x","a":"y","b":2}, "h":{"b":3}})");
    EXPECT_THAT(page.numbers, ElementsAre(Pair("b", 3)));
    EXPECT_THAT(page.texts, ElementsAre(Pair("a", "y")));
}

TEST(JsonPage, ArraysAreLeftOutWhole) {
    const auto page = parsed(R"({"g":{"a":[1.5,"x",true,null,{"b":{"c":[2]}},[]],"d":4},"e":[]})");
    EXPECT_THAT(page.numbers, ElementsAre(Pair("d", 4)));
    EXPECT_EQ(page.left_out, 2U);
}

TEST(JsonPage, NamesOfSixteenLevels) {
    std::string body = "1";
    for (int level = 0; level < 16; ++level) {
        body = "{\"a\":" + body + ",\"b\":2}";
    }
    const auto page = parsed(body);
    EXPECT_THAT(page.numbers, SizeIs(1 + 15)) << "the b of the first and second level are one";
    EXPECT_EQ(page.numbers.at("a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"), 1);
    EXPECT_EQ(page.numbers.at("a.a.b"), 2);
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
        parse(R"({"g":{"a":1,"b":2,"c":"x","streams_hls":4}})", 1, CountNames{}).value();
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
