// SPDX-License-Identifier: Apache-2.0
#include "process/log_line.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::string_view_literals;

TEST(LogLine, ShowsWhatATerminalCanShowAndMasksTheRest) {
    const struct {
        const char* what;
        std::string_view text;
        std::string_view line;
    } rows[] = {
        {"ASCII", "eth0: up 75%", "eth0: up 75%"},
        {"UTF-8", "Zürich \xf0\x9f\x8e\xa5", "Zürich \xf0\x9f\x8e\xa5"},
        {"an escape sequence", "a\x1b[31mred", "a\\x1b[31mred"},
        {"a line end, which would begin a line of somebody else's", "a\n<3>b", "a\\x0a<3>b"},
        {"NUL", "a\0b"sv, "a\\x00b"},
        {"DEL", "a\x7f", "a\\x7f"},
        {"C1, of which CSI is one",
         "a\xc2\x9b"
         "31m",
         "a\\xc2\\x9b31m"},
        {"a separator of lines", "a\xe2\x80\xa8", "a\\xe2\\x80\\xa8"},
        {"no UTF-8", "w\xff", "w\\xff"},
        {"cut UTF-8", "w\xf0\x9f\x8e", "w\\xf0\\x9f\\x8e"},
        {"nothing", "", ""},
    };
    for (const auto& row : rows) EXPECT_EQ(printable_line(row.text), row.line) << row.what;
}

}  // namespace
}  // namespace wcs_node_agent
