// SPDX-License-Identifier: Apache-2.0

#include <wcs_node_agent/utf8.hpp>

#include <gtest/gtest.h>

namespace wcs_node_agent {

namespace {

struct Row {
    const char* shows;
    std::string_view bytes;
    std::string_view text;
};

const Row rows[] = {
    {"empty", "", ""},
    {"ASCII", "eth0", "eth0"},
    {"two, three and four bytes", "\u00e9\u20ac\U0001F600", "\u00e9\u20ac\U0001F600"},
    {"a lone continuation", "a\x80z", "a?z"},
    {"cut off", "a\xE2\x82", "a??"},
    {"an overlong slash", "\xC0\xAF", "??"},
    {"an overlong slash of three bytes", "\xE0\x80\xAF", "???"},
    {"a surrogate", "\xED\xA0\x80", "???"},
    {"past U+10FFFF", "\xF4\x90\x80\x80", "????"},
    {"the last code point", "\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
    {"Latin-1 in between", "caf\xE9 x", "caf? x"},
};

}  // namespace

TEST(Utf8, ReplacesWhatIsNotValid) {
    for (const Row& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_EQ(valid_utf8(row.bytes), row.text);
    }
}

}  // namespace wcs_node_agent
