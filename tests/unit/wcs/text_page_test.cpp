// SPDX-License-Identifier: Apache-2.0
#include "page_reading.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using test::parsed;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

TEST(TextPage, Lines) {
    const std::string longest_name(128, 'n');
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
        {"a duplicate that is equal", "a=2\na=2\n", "a", 2},
        {"a number after a text of that name", "a=x\na=2\n", "a", 2},
        {"negative", "a=-37", "a", -37},
        {"fraction", "a=2.5", "a", 2.5},
        {"exponent as Java prints it", "a=1.0E10", "a", 1e10},
        {"the longest name", longest_name + "=1", longest_name.c_str(), 1},
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

TEST(TextPage, ANumberStandsBesideATextOfThatName) {
    for (const std::string body : {"a=1\na=x\n", "a=x\na=1\n"}) {
        const auto page = parsed(body);
        EXPECT_THAT(page.numbers, ElementsAre(Pair("a", 1)));
        EXPECT_THAT(page.texts, IsEmpty());
    }
}

/// In each row `bad` costs itself; what is before and behind it stays.
TEST(TextPage, WhatIsBadCostsItsOwnLine) {
    const struct {
        const char* shows;
        std::string line;
    } rows[] = {
        {"not UTF-8", "bad=caf\xE9"},
        {"a character cut short", "bad=\xE2\x82"},
        {"a surrogate", "bad=\xED\xA0\xBD"},
        {"a control character", "bad=\x1B[31m"},
        {"a NUL in the value", std::string("bad=a\0b", 7)},
        {"a NUL in the name", std::string("b\0ad=1", 6)},
        {"a NUL alone", std::string(1, '\0')},
        {"a name in Latin-1",
         "b\xE4"
         "d=1"},
        {"a line over the bound", "bad=" + std::string(100'000, '1')},
        {"no equals sign", "bad"},
        {"a CR in between", "bad=a\rb"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto page = parsed("before=1\n" + row.line + "\nbehind=2\n" + row.line);
        EXPECT_THAT(page.numbers, ElementsAre(Pair("before", 1), Pair("behind", 2)));
        EXPECT_THAT(page.texts, IsEmpty());
    }
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

}  // namespace
}  // namespace wcs_node_agent
