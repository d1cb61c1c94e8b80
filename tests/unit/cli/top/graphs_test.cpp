// SPDX-License-Identifier: Apache-2.0
#include "cli/top/graphs.hpp"

#include <string_view>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

TEST(Graphs, ABarIsAsWideAsItsRoomAndFullAtItsLimit) {
    struct Row {
        double share;
        std::string_view ascii, utf8;
    };
    for (const auto& [share, ascii, utf8] : {
             Row{0, "....", "    "},
             Row{0.5, "##..", "██  "},
             Row{0.28, "#...", "█▏  "},
             Row{0.01, "....", "    "},
             Row{1, "####", "████"},
             Row{7, "####", "████"},
             Row{-1, "....", "    "},
         }) {
        SCOPED_TRACE(share);
        EXPECT_EQ(bar(share, 4, false), ascii);
        EXPECT_EQ(bar(share, 4, true), utf8);
    }
}

TEST(Graphs, ASparklineHasAColumnForEachShareAndAGapForWhatIsNotKnown) {
    EXPECT_EQ(sparkline({0, 0.5, 0.99, 1, 3, {}, 0.2}, true), "▁▄▇██ ▂");
    EXPECT_EQ(sparkline({0, 0.5, 0.99, 1, 3, {}, 0.2}, false), "_=%## .");
    EXPECT_EQ(sparkline({}, true), "");
}

}  // namespace
}  // namespace wcs_node_agent
