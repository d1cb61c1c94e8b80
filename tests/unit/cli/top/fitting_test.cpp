// SPDX-License-Identifier: Apache-2.0
#include "cli/top/fitting.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

TEST(Fitting, LinesAreBrokenAtSeparators) {
    struct Row {
        std::string_view text;
        std::size_t width;
        std::string_view separator;
        std::vector<std::string> lines;
    };
    for (const auto& [text, width, separator, lines] : {
             Row{"one two three", 80, " ", {"one two three"}},
             Row{"one two three", 13, " ", {"one two three"}},
             Row{"one two three", 12, " ", {"one two", "three"}},
             Row{"one two three", 7, " ", {"one two", "three"}},
             Row{"one two three", 6, " ", {"one", "two", "three"}},
             Row{"a b, c d, e f", 9, ", ", {"a b, c d", "e f"}},
             Row{"a (b 1, c 2)  d 3", 15, "  ", {"a (b 1, c 2)", "d 3"}},
             Row{"веб-файл не прочитан", 12, " ", {"веб-файл не", "прочитан"}},
             Row{"to http://node1/path it", 8, " ", {"to", "http://n", "ode1/pat", "h it"}},
             Row{"ééé", 2, " ", {"éé", "é"}},
             Row{"", 5, " ", {""}},
         }) {
        SCOPED_TRACE(text);
        EXPECT_EQ(in_lines(text, width, separator), lines);
    }
}

TEST(Fitting, TheLongestWordingThatFits) {
    struct Row {
        std::size_t width;
        std::string_view wording;
    };
    for (const auto& [width, wording] : {
             Row{99, "для всех"},
             Row{8, "для всех"},
             Row{7, "всем"},
             Row{4, "всем"},
             Row{3, "-"},
             Row{0, "-"},
         })
        EXPECT_EQ(first_fitting({"для всех", "всем", "-"}, width), wording) << width;
}

}  // namespace
}  // namespace wcs_node_agent
