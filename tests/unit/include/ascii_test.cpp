// SPDX-License-Identifier: Apache-2.0
#include <wcs_node_agent/ascii.hpp>

#include <gtest/gtest.h>

namespace wcs_node_agent {

namespace {

struct Row {
    const char* shows;
    char c;
    bool is_control;
};

const Row rows[] = {
    {"the end of a C string", '\0', true},
    {"a line end", '\n', true},
    {"the last before the space", '\x1f', true},
    {"the space", ' ', false},
    {"the last that is printed", '~', false},
    {"DEL", '\x7f', true},
    {"the first of no ASCII", '\x80', false},
    {"a byte of UTF-8", '\xc3', false},
    {"the last byte", '\xff', false},
};

TEST(Ascii, ControlCharacters) {
    for (const Row& row : rows) EXPECT_EQ(is_ascii_control(row.c), row.is_control) << row.shows;
}

}  // namespace
}  // namespace wcs_node_agent
