// SPDX-License-Identifier: Apache-2.0
#include "page_reading.hpp"

#include <functional>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using test::parse;
using test::parsed;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

TEST(JsonPage, Values) {
    const auto page = parsed(R"({
        "group": {"integer": -3, "large": 18446744073709551615, "fraction": 2.5, "numeric": " 7 ",
                  "text": "a/0", "yes": true, "no": false, "nothing": null, "empty": {},
                  "list": [1, {"in": 2}, [3]],
                  "deep": {"er": 4, "still": {"deeper": "5"}}},
        "flat": 6, "other": {"integer": -3}})");
    EXPECT_THAT(page.numbers,
                UnorderedElementsAre(Pair("integer", -3), Pair("large", 18446744073709551615.0),
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

TEST(JsonPage, DuplicateNames) {
    const auto page = parsed(R"({"g":{"a":1,"b":"x","a":1,"b":2,"c":4}, "h":{"b":2,"c":3}})");
    EXPECT_THAT(page.numbers, ElementsAre(Pair("a", 1), Pair("b", 2)));
    EXPECT_THAT(page.disputed, ElementsAre(Pair("c", 3)));
    EXPECT_THAT(page.texts, IsEmpty());
}

/// A string that nobody escaped may have closed or opened an object.
TEST(JsonPage, BracesTooManyOrTooFew) {
    EXPECT_EQ(parsed(R"({"g":{"a":1}},"b":2}})").numbers, parsed(R"({"a":1,"b":2})").numbers);
    EXPECT_EQ(parsed(R"({"g":{"a":1}} {"b":2})").numbers, parsed(R"({"a":1})").numbers);
    EXPECT_EQ(parsed(R"({"g":{"a":1,"b":2})").numbers, parsed(R"({"a":1,"b":2})").numbers);
    EXPECT_FALSE(parse(R"({"g":{"a":1,"b":2})", Ending::unknown)) << "it may be cut off";
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

TEST(JsonPage, ObjectsBelowTheSixteenthLevelAreLeftOutWhole) {
    std::string body = R"({"a":1,"b":[2]})";
    for (int level = 0; level < 16; ++level) {
        body = "{\"a\":" + body + ",\"b\":2}";
    }
    const auto page = parsed(body);
    EXPECT_THAT(page.numbers, SizeIs(15));
    EXPECT_EQ(page.left_out, 1U);
}

/// In each row `bad` costs itself; what is before and behind it stays.
TEST(JsonPage, WhatIsBadCostsItsOwnEntry) {
    const struct {
        const char* shows;
        std::string entry;
    } rows[] = {
        {"NaN", R"("bad":NaN)"},
        {"nan", R"("bad":nan)"},
        {"Infinity", R"("bad":Infinity)"},
        {"-Infinity", R"("bad":-Infinity)"},
        {"a number past any double", R"("bad":1e999)"},
        {"a long number past any double", R"("bad":1)" + std::string(5000, '0')},
        {"a plus sign", R"("bad":+5)"},
        {"a hexadecimal number", R"("bad":0x10)"},
        {"a decimal comma", R"("bad":0,31)"},
        {"commas between thousands", R"("bad":1,234,567)"},
        {"a number with its unit", R"("bad":5ms)"},
        {"two numbers", R"("bad":1 2)"},
        {"a minus sign alone", R"("bad":-)"},
        {"no value", R"("bad":)"},
        {"neither colon nor value", R"("bad")"},
        {"no colon", R"("bad" 1)"},
        {"a semicolon for the colon", R"("bad";"text")"},
        {"two colons", R"("bad"::1)"},
        {"a literal that is none", R"("bad":undefined)"},
        {"a literal in capitals", R"("bad":True)"},
        {"a string without quotes", R"("bad":some text)"},
        {"a string without its first quote", R"("bad":text")"},
        {"a string in single quotes", R"("bad":'text')"},
        {"a name without quotes", R"(bad:1)"},
        {"a number for a name", R"( 1:1)"},
        {"a comment", R"("bad":1/**/)"},
        {"a NUL for a value", std::string("\"bad\":\0", 7)},
        {"a NUL before the name", std::string("\0\"bad\":1", 8)},
        {"a NUL in a string", std::string("\"bad\":\"a\0b\"", 11)},
        {"a line break in a string", "\"bad\":\"a\nb\""},
        {"a tab in a string", "\"bad\":\"a\tb\""},
        {"a control character in a string", R"("bad":"a\u0007b")"},
        {"not UTF-8", "\"bad\":\"caf\xE9\""},
        {"a character cut short", "\"bad\":\"\xE2\x82\""},
        {"a surrogate in UTF-8", "\"bad\":\"\xED\xA0\xBD\""},
        {"the first half of a pair", R"("bad":"party \ud83d/0")"},
        {"the first half of a pair at the end", R"("bad":"party \ud83d")"},
        {"the second half of a pair", R"("bad":"\ude00")"},
        {"two first halves", R"("bad":"\ud83d\ud83d")"},
        {"a first half before another escape", R"("bad":"\ud83d\u00e9")"},
        {"a first half before a broken escape", R"("bad":"\ud83d\uzz")"},
        {"an escape of three digits", R"("bad":"\u00e")"},
        {"an escape of the two digits of a letter", R"("bad":"\u41")"},
        {"an escape of no digits", R"("bad":"\u")"},
        {"an escape of no hexadecimal digits", R"("bad":"\u00g0")"},
        {"an escape with a sign", R"("bad":"\u-0e9")"},
        {"an unknown escape", R"("bad":"\x41")"},
        {"an escaped line break", "\"bad\":\"a\\\nb\""},
        {"quotes that nobody escaped", R"("bad":"party "new year"/0")"},
        {"a brace among quotes that nobody escaped", R"("bad":"party "a}b" c")"},
        {"a brace in a bad string", R"("bad":"}\ud83d{")"},
        {"more after a string", R"("bad":"a" "b")"},
        {"an array that holds bad values", R"("bad":[NaN,"\ud83d",{"a":+1},'x'])"},
        {"more after an array", R"("bad":[1] 2)"},
        {"a bracket too many", R"("bad":1])"},
        {"an array of strings like what is around them", R"("bad":["}",",","]","{","[",":"])"},
        {"an object of strings like what is around it, in an array", R"("bad":[{"}":"}"}])"},
        {"quotes in a name that nobody escaped", R"("ba"d":1)"},
        {"a name without its first quote", R"(bad":1)"},
        {"a bad name", R"("ba\ud83dd":1)"},
        {"a name in Latin-1",
         "\"b\xE4"
         "d\":1"},
    };
    for (const auto& row : rows) {
        for (const std::string& space : {std::string(), std::string("\n  ")}) {
            for (const bool repeated : {false, true}) {
                SCOPED_TRACE(row.shows + std::string(repeated ? ", repeated" : ""));
                const auto page = parsed("{\"g\":{\"before\":1," + space +
                                         (repeated ? row.entry + space + "," : "") + row.entry +
                                         space + ",\"behind\":2},\"h\":{\"last\":3}}");
                EXPECT_THAT(page.numbers,
                            ElementsAre(Pair("before", 1), Pair("behind", 2), Pair("last", 3)));
                EXPECT_THAT(page.texts, IsEmpty());
            }
            SCOPED_TRACE(row.shows + std::string(", at the end"));
            EXPECT_THAT(parsed("{\"before\":1," + row.entry + space + "}").numbers,
                        ElementsAre(Pair("before", 1)));
        }
    }
}

TEST(JsonPage, ABadValueIsCountedAndNoEarlierOneStandsForIt) {
    const auto page = parsed(R"({"g":{"a":1,"b":2,"a":NaN,"c":"\ud83d","d":+1,"e":5 ms,f:6}})");
    EXPECT_THAT(page.numbers, ElementsAre(Pair("b", 2)));
    EXPECT_THAT(page.texts, IsEmpty());
    EXPECT_EQ(page.left_out, 5U);
}

TEST(JsonPage, WhatIsLost) {
    const struct {
        const char* shows;
        const char* body;
        std::map<std::string, double, std::less<>> numbers;
    } rows[] = {
        {"nothing by a comma at the end", R"({"g":{"a":1,},"h":{"b":2},})", {{"a", 1}, {"b", 2}}},
        {"nothing by commas in a row", R"({,"a":1,,"b":2})", {{"a", 1}, {"b", 2}}},
        {"nothing by a missing comma after an object",
         R"({"g":{"a":1} "h":{"b":2}})",
         {{"a", 1}, {"b", 2}}},
        {"nothing by a leading zero", R"({"a":01,"b":2})", {{"a", 1}, {"b", 2}}},
        {"nothing by a bad name of a group", R"({"\ud83d":{"a":1},"b":2})", {{"a", 1}, {"b", 2}}},
        {"two entries by a missing comma", R"({"a":1 "b":2,"c":3})", {{"c", 3}}},
        {"two entries by a missing closing quote", "{\"a\":\"x,\n\"b\":2,\n\"c\":3}", {{"c", 3}}},
        {"what is below a bad name", R"({"g":{"x\ud83d":{"a":1},"b":2}})", {{"b", 2}}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_EQ(parsed(row.body).numbers, row.numbers);
    }
}

TEST(JsonPage, NamesThatCannotBeShownArePassedOver) {
    const auto page = parsed(R"({"g":{"line\nbreak":1,"":2,"b":3}})");
    EXPECT_THAT(page.numbers, ElementsAre(Pair("b", 3)));
}

TEST(JsonPage, BoundedLikeText) {
    const auto page = parsed(R"({"g":{"a":1,"b":2,"c":"x","streams_hls":4}})", 1);
    EXPECT_THAT(page.numbers, ElementsAre(Pair("a", 1), Pair("streams_hls", 4)));
    EXPECT_EQ(page.left_out, 2U);
}

}  // namespace
}  // namespace wcs_node_agent
