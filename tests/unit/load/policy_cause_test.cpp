// SPDX-License-Identifier: Apache-2.0
#include "load/policy.hpp"
#include "policy_inputs.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

TEST(Policy, CauseAndBottleneckAreWhatDecidedTheState) {
    struct CauseRow {
        const char* shows;
        WcsState wcs;
        WhenStale when_stale;
        WhenStale when_unreadable;
        double out;  // Mbit/s of 100
        NodeState state;
        std::string cause;
        std::string bottleneck;
    };
    auto silent = counts(1, 1, 1, 11s);
    silent.silent = true;
    const auto unreadable = counts(1, 1, 1, 11s);
    constexpr auto up = NodeState::up;
    constexpr auto ignore = WhenStale::ignore;
    const std::vector<CauseRow> rows{
        {"up: none, and the most used limit", counts(1, 1, 1), WhenStale::down, ignore, 60, up, "",
         "band_out"},
        {"a limit that is exceeded", counts(1, 1, 1), WhenStale::down, ignore, 100, NodeState::down,
         "band_out", "band_out"},
        {"silence, however used another limit is", silent, WhenStale::down, ignore, 60,
         NodeState::down, "wcs_silent", "publishers"},
        {"silence that only drains", silent, WhenStale::drain, ignore, 60, NodeState::drain,
         "wcs_silent", "publishers"},
        {"silence that does not decide", silent, ignore, WhenStale::down, 60, up, "", "band_out"},
        {"silence beside a limit that is exceeded", silent, WhenStale::down, ignore, 100,
         NodeState::down, "band_out", "band_out"},
        {"an answer that cannot be read", unreadable, ignore, WhenStale::down, 60, NodeState::down,
         "unreadable", "publishers"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        auto settings = default_settings();
        settings.when_stale = row.when_stale;
        settings.when_unreadable = row.when_unreadable;
        const auto verdict = Policy().decide(settings, rates(0, 0, row.out), row.wcs, now);
        EXPECT_EQ(verdict.state, row.state);
        EXPECT_EQ(verdict.cause, row.cause);
        EXPECT_EQ(verdict.bottleneck, row.bottleneck);
    }
}

}  // namespace
}  // namespace wcs_node_agent
