// SPDX-License-Identifier: Apache-2.0
#include "load/selection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::ElementsAreArray;

const Link lo{.index = 1, .name = "lo", .loopback = true, .default_route = true};
const Link eth0{.index = 2, .name = "eth0", .physical = true, .default_route = true};
const Link eth1{.index = 3, .name = "eth1", .physical = true};
const Link docker{.index = 4, .name = "docker0"};
const Link ppp{.index = 5, .name = "ppp0", .default_route = true};

struct Row {
    const char* shows;
    std::vector<Link> links;
    std::vector<std::string> globs;
    std::vector<std::uint32_t> chosen;
};

TEST(Selection, FollowsRoutesOrGlobs) {
    Link idle_eth0 = eth0;
    idle_eth0.default_route = false;
    const std::vector<Row> rows{
        {"the default route's interface", {lo, eth0, eth1, docker}, {}, {2}},
        {"several default routes: all of them", {lo, eth0, eth1, ppp}, {}, {2, 5}},
        {"no default route: every physical one", {lo, idle_eth0, eth1, docker}, {}, {2, 3}},
        {"nothing suits: none, not all", {lo, docker}, {}, {}},
        {"globs win over routes", {lo, eth0, eth1, docker}, {"eth1"}, {3}},
        {"several globs add up", {lo, eth0, eth1, docker}, {"eth*", "docker?"}, {2, 3, 4}},
        {"loopback is never chosen", {lo, eth0}, {"*"}, {2}},
        {"a glob that matches nothing chooses nothing", {lo, eth0}, {"wan*"}, {}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_THAT(choose_interfaces(row.links, row.globs), ElementsAreArray(row.chosen));
    }
}

}  // namespace
}  // namespace wcs_node_agent
