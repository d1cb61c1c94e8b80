// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs/page.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

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

using Cuts = std::vector<std::size_t>;  // positions, in order

inline Result<WcsPage> parse_cut(std::string_view body, const Cuts& cuts, std::size_t max_entries,
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

inline Cuts every(std::size_t step, std::size_t size) {
    Cuts cuts;
    for (std::size_t at = step; at < size; at += step) {
        cuts.push_back(at);
    }
    return cuts;
}

/// Ways to cut a body, enough of them to meet it in every state where it is short.
inline std::vector<Cuts> ways_to_cut(std::size_t size) {
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
inline std::string kind_of_error(const Result<WcsPage>& result) {
    const std::string text = result ? "" : result.error().what;
    return text.substr(0, text.find(" at byte "));
}

inline auto parts(const Result<WcsPage>& result) {
    const auto page = result ? *result : WcsPage{};
    return std::tuple(page.numbers, page.texts, page.left_out, kind_of_error(result));
}

/// What the body is in one piece, having seen that it is the same in others.
inline Result<WcsPage> parse(std::string_view body, std::size_t max_entries,
                             const CountNames& names) {
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

/// The same for a body that must be a page.
inline WcsPage parsed(std::string_view body, std::size_t max_entries = plenty) {
    auto page = parse(body, max_entries, CountNames{});
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
