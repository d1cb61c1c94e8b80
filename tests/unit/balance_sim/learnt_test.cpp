// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/learnt.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace wcs_node_agent::balance {
namespace {

TEST(Learnt, IsTheMeanOfWhatAgentsKnow) {
    Learnt learnt;
    EXPECT_FALSE(learnt.effect() || learnt.dispersion() || learnt.level_known());
    learnt.look({.effect = 1, .dispersion = 0.5}, 0.7);
    EXPECT_EQ(learnt.level_known(), 0);
    EXPECT_FALSE(learnt.level_error()) << "nobody knew it";
    learnt.look({.effect = 2, .dispersion = 1.5, .level = 0.75}, 0.5);
    learnt.look({.effect = 3, .dispersion = 1, .level = 0.5}, 0.5);
    learnt.look({.effect = 4, .dispersion = 1}, 0.5);
    EXPECT_EQ(learnt.effect(), 2.5);
    EXPECT_EQ(learnt.dispersion(), 1);
    EXPECT_EQ(learnt.level_known(), 0.5);
    EXPECT_NEAR(learnt.level_error().value_or(0), 0.25 / std::sqrt(2.0), 1e-12);
}

}  // namespace
}  // namespace wcs_node_agent::balance
