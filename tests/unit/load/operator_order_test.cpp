// SPDX-License-Identifier: Apache-2.0
#include "load/operator_order.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

const std::chrono::system_clock::time_point since(1'700'000'000s);

struct OrderRow {
    const char* shows;
    Word word;
    NodeState judged;
    std::string reason;
    NodeState state;
    int percent;
    std::string said;
};

TEST(OperatorOrder, TheOperatorsWordWinsOverWhatWasJudged) {
    const std::string by = "by root since 2023-11-14T22:13:20Z";
    const std::vector<OrderRow> rows{
        {"ready changes nothing", Word::ready, NodeState::up, "", NodeState::up, 75, ""},
        {"nor a down", Word::ready, NodeState::down, "cpu", NodeState::down, 0, "cpu"},
        {"a drain", Word::drain, NodeState::up, "", NodeState::drain, 0, by},
        {"with what is judged", Word::drain, NodeState::down, "subscribers 120 of 100",
         NodeState::drain, 0, by + "; subscribers 120 of 100"},
        {"maintenance", Word::maint, NodeState::drain, "wcs: refused", NodeState::maint, 0,
         by + "; wcs: refused"},
    };
    for (const auto& row : rows) {
        Verdict verdict;
        verdict.state = row.judged;
        verdict.weight.percent = row.judged == NodeState::up ? 75 : 0;
        verdict.reason = row.reason;
        verdict.bottleneck = "cpu";
        const auto made = ordered(verdict, {row.word, "root", since});
        EXPECT_EQ(made.state, row.state) << row.shows;
        EXPECT_EQ(made.weight.percent, row.percent) << row.shows;
        EXPECT_EQ(made.reason, row.said) << row.shows;
        EXPECT_EQ(made.bottleneck, "cpu") << row.shows;
        EXPECT_EQ(made.judged, row.word == Word::ready ? std::nullopt : std::optional(row.judged))
            << row.shows;
    }
}

TEST(OperatorOrder, SaysWhoAndSinceWhen) {
    EXPECT_EQ(word_text({}), "ready");
    EXPECT_EQ(word_text({Word::maint, "anna", since}), "maint by anna since 2023-11-14T22:13:20Z");
}

}  // namespace
}  // namespace wcs_node_agent
