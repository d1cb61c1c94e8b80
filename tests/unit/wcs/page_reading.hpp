// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs/page.hpp"

#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace wcs_node_agent::test {

inline constexpr std::size_t plenty = 1000;  // entries

/// A file of tests/data/wcs.
inline std::string sample(const std::string& name) {
    std::ifstream file(WNA_TEST_DATA "/wcs/" + name);
    EXPECT_TRUE(file) << name;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline Result<WcsPage> parse(std::string_view body, Ending ending = Ending::known) {
    return parse_page(body, ending, plenty, CountNames{});
}

/// The same for a body that must be a page.
inline WcsPage parsed(std::string_view body, std::size_t max_entries = plenty) {
    auto page = parse_page(body, Ending::known, max_entries, CountNames{});
    EXPECT_TRUE(page) << page.error().what;
    return page ? *page : WcsPage{};
}

/// Names that do not get in the way of tests of the bound.
inline CountNames no_names() {
    CountNames names;
    names.publishers = {};
    names.subscribers = {};
    names.hls = {};
    return names;
}

}  // namespace wcs_node_agent::test
