// SPDX-License-Identifier: Apache-2.0
#include "kernel/drop_counters.hpp"

#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// Two CPUs; the reasons are called r1 to r199 by their values, but for r5, which has no name.
class DropCountersTest : public testing::Test {
 protected:
    static std::vector<std::string> names() {
        std::vector<std::string> names(DROP_REASONS);
        for (std::size_t i = 1; i < 200; ++i)
            if (i != 5) names[i] = fmt::format("r{}", i);
        return names;
    }
    void drop(std::size_t cpu, std::size_t reason, std::uint64_t frames) {
        on_cpus_[cpu].by_reason[reason] += frames;
        on_cpus_[cpu].all += frames;
    }

    std::vector<drop_counters> on_cpus_{2};
    DropCounters drops_{on_cpus_, names()};
};

TEST_F(DropCountersTest, OnlyThoseThatOccurred) {
    EXPECT_THAT(drops_.read(), IsEmpty());
    drop(0, 7, 3);
    drop(1, 7, 4);
    drop(1, 2, 1);
    EXPECT_THAT(drops_.read(), ElementsAre(Pair("r2", 1), Pair("r7", 7)));
    drop(0, 7, 1);
    EXPECT_THAT(drops_.read(), ElementsAre(Pair("r2", 1), Pair("r7", 8)));
}

TEST_F(DropCountersTest, WhatIsSeenAfterTheSumIsCounted) {
    on_cpus_[0].all = 3;
    EXPECT_THAT(drops_.read(), IsEmpty());
    on_cpus_[0].by_reason[7] = 3;
    EXPECT_THAT(drops_.read(), ElementsAre(Pair("r7", 3)));
}

TEST_F(DropCountersTest, ReasonsWithoutANameAreOthers) {
    drop(0, 5, 1);
    drop(0, OTHER_DROP_REASON, 2);
    EXPECT_THAT(drops_.read(), ElementsAre(Pair("other", 3)));
}

TEST_F(DropCountersTest, LabelsAreBounded) {
    for (std::size_t reason = 10; reason < 10 + DropCounters::most_reasons - 1; ++reason)
        drop(0, reason, 1);
    EXPECT_EQ(drops_.read().size(), DropCounters::most_reasons - 1);
    drop(1, 150, 2);
    drop(1, 151, 3);
    drop(1, 10, 4);
    EXPECT_EQ(drops_.read().size(), DropCounters::most_reasons);
    EXPECT_EQ(drops_.read().at("other"), 5U);
    EXPECT_EQ(drops_.read().at("r10"), 5U) << "who was first keeps its name";
}

}  // namespace
}  // namespace wcs_node_agent
