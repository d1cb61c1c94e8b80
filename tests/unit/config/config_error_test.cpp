// SPDX-License-Identifier: Apache-2.0
#include "config/config_error.hpp"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

TEST(ConfigError, OneLineEach) {
    EXPECT_EQ(to_string(ConfigErrors{{.where = "--cpu", .what = "given twice"},
                                     {.where = "a.json: /x", .what = "unknown key"}}),
              "--cpu: given twice\na.json: /x: unknown key\n");
}

TEST(ConfigError, SuggestsTheNearestNameAlone) {
    constexpr std::array<std::string_view, 4> known{"band_in", "band_out", "cpu", "window"};
    struct Row {
        const char* what;
        std::string name, suggestion;
    };
    const std::array rows{
        Row{"a letter is missing", "band_ot", "; did you mean band_out?"},
        Row{"the option's spelling", "band-in", "; did you mean band_in?"},
        Row{"two letters are swapped", "widnow", "; did you mean window?"},
        Row{"one letter of a short name", "cpi", "; did you mean cpu?"},
        Row{"two letters of a short name are another name", "cat", ""},
        Row{"nothing like it", "bananas", ""},
        Row{"empty", "", ""},
        Row{"far too long", std::string(100'000, 'x'), ""},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        EXPECT_EQ(did_you_mean(row.name, known), row.suggestion);
    }
    EXPECT_EQ(did_you_mean("cpu", {}), "");
}

TEST(ConfigError, PointerStepsAreEscapedAndPrintable) {
    EXPECT_EQ(pointer_step("band_out"), "/band_out");
    EXPECT_EQ(pointer_step("a/b~c"), "/a~1b~0c");
    EXPECT_EQ(pointer_step("\x1b[31m\n"), "/\\u001b[31m\\n");
    EXPECT_EQ(pointer_step("\xff"), "/\xEF\xBF\xBD")
        << "no UTF-8 becomes the replacement character";
}

}  // namespace
}  // namespace wcs_node_agent
