// SPDX-License-Identifier: Apache-2.0
#include "page_reading.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using test::parse;
using test::parsed;
using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

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

}  // namespace
}  // namespace wcs_node_agent
