// SPDX-License-Identifier: Apache-2.0
#include "daemon/interface_names.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

std::string errors_of(const std::vector<std::string>& globs, const std::vector<Link>& links) {
    return to_string(check_names(select_interfaces(links, globs), links));
}

TEST(InterfaceNames, APlainNameThatNoInterfaceHasIsAnError) {
    const Link lo{.index = 1, .name = "lo", .loopback = true};
    const Link wan{.index = 2, .name = "wan0", .physical = true, .alternative_names = {"uplink"}};
    const Link lan{.index = 3, .name = "lan0", .physical = true};
    struct Row {
        std::vector<std::string> globs;
        std::vector<Link> links;
        const char* errors;
    };
    const std::vector<Row> rows{
        {{}, {lo, wan}, ""},
        {{"wan0"}, {lo, wan}, ""},
        {{"uplink"}, {lo, wan}, ""},
        {{"eth*", "eth?", "eth[0]"}, {lo, wan}, ""},
        {{"eth0"},
         {lo, wan, lan},
         "interface: no interface has the name \"eth0\": there are wan0, uplink, lan0\n"},
        {{"wan0@if2", "lan0"},
         {lo, lan},
         "interface: no interface has the name \"wan0@if2\": there is lan0; \"@if2\" is no part of "
         "the name\n"},
        {{"a", "b"},
         {lo},
         "interface: no interface has the name \"a\": there is none but loopback\n"
         "interface: no interface has the name \"b\": there is none but loopback\n"},
    };
    for (const auto& row : rows) EXPECT_EQ(errors_of(row.globs, row.links), row.errors);
}

TEST(InterfaceNames, OfManyTheFirstAreShown) {
    std::vector<Link> links;
    for (std::uint32_t index = 2; index < 302; ++index)
        links.push_back({.index = index, .name = "v" + std::to_string(index)});
    const auto errors = errors_of({"eth0"}, links);
    EXPECT_NE(errors.find(", v21 and 280 more\n"), std::string::npos) << errors;
}

}  // namespace
}  // namespace wcs_node_agent
