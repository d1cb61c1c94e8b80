// SPDX-License-Identifier: Apache-2.0
#include "load/history.hpp"

#include <functional>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Eq;
using testing::Optional;

constexpr std::int64_t start = 5'000;  // a second of the clock

class HistoryTest : public testing::Test {
 protected:
    HistoryTest() {
        node_.stale_after = 10s;
        node_.rates.bits_in = 8'000;
        node_.verdict.readings = {{.name = "cpu", .utilisation = 0.5}};
        node_.verdict.bottleneck = "cpu";
        node_.verdict.weight.percent = 50;
    }

    static Clock::time_point at(std::chrono::nanoseconds since_start) {
        return Clock::time_point(std::chrono::seconds(start) + since_start);
    }
    /// A new sample, published at once.
    void publish(std::chrono::nanoseconds since_start) {
        node_.at = at(since_start);
        history_.add(node_, node_.at);
    }
    /// Of seconds() from the start on, gaps as -1.
    std::vector<double> values(std::string_view name) const {
        std::vector<double> values;
        for (auto second = history_.seconds().first; second < history_.seconds().end; ++second)
            values.push_back(history_.value(second, index(name)).value_or(-1));
        return values;
    }
    static std::size_t index(std::string_view name) {
        const auto found = std::ranges::find(all_history_series, name, &HistorySeries::name);
        return static_cast<std::size_t>(found - all_history_series.begin());
    }

    Snapshot node_;
    History history_;
};

TEST_F(HistoryTest, HoldsTheSecondsThatAreOver) {
    EXPECT_EQ(history_.seconds().first, history_.seconds().end);
    publish(100ms);
    EXPECT_THAT(values("weight"), ElementsAre()) << "the first is under way";
    publish(1100ms);
    publish(2100ms);
    EXPECT_EQ(history_.seconds().first, start);
    EXPECT_EQ(history_.seconds().end, start + 2);
}

TEST_F(HistoryTest, TakesEachSeriesFromTheSnapshot) {
    struct Row {
        const char* series;
        double value;
        std::function<void(Snapshot&)> set;
        std::function<void(Snapshot&)> forget;
    };
    const Row rows[] = {
        {"band_in_bytes_per_second", 125, [](Snapshot& node) { node.rates.bits_in = 1000; },
         [](Snapshot& node) { node.rates.bits_in.reset(); }},
        {"band_out_bytes_per_second", 250, [](Snapshot& node) { node.rates.bits_out = 2000; },
         [](Snapshot& node) { node.rates.bits_out.reset(); }},
        {"peak_in_bytes_per_second", 500, [](Snapshot& node) { node.peaks.bits_in = 4000; },
         [](Snapshot& node) { node.peaks.bits_in.reset(); }},
        {"peak_out_bytes_per_second", 625, [](Snapshot& node) { node.peaks.bits_out = 5000; },
         [](Snapshot& node) { node.peaks.bits_out.reset(); }},
        {"cpu_utilisation", 0.25, [](Snapshot& node) { node.rates.cpu_utilisation = 0.25; },
         [](Snapshot& node) { node.rates.cpu_utilisation.reset(); }},
        {"cpu_max_utilisation", 0.75, [](Snapshot& node) { node.rates.cpu_max_utilisation = 0.75; },
         [](Snapshot& node) { node.rates.cpu_max_utilisation.reset(); }},
        {"publishers", 7,
         [](Snapshot& node) {
             node.wcs.publishers = HeldCount{7, node.at - 10s};
         },
         [](Snapshot& node) { node.wcs.publishers->at -= 1ns; }},
        {"subscribers", 9,
         [](Snapshot& node) {
             node.wcs.subscribers = HeldCount{9, node.at};
         },
         [](Snapshot& node) { node.wcs.subscribers.reset(); }},
        {"hls", 0,
         [](Snapshot& node) {
             node.wcs.hls = HeldCount{0, node.at};
         },
         [](Snapshot& node) { node.wcs.hls->at -= 11s; }},
        {"weight", 42, [](Snapshot& node) { node.verdict.weight.percent = 42; },
         [](Snapshot& node) { node.starting = true; }},
        {"state", 2, [](Snapshot& node) { node.verdict.state = NodeState::drain; },
         [](Snapshot& node) { node.starting = true; }},
        {"bottleneck_utilisation", 1.5,
         [](Snapshot& node) { node.verdict.readings[0].utilisation = 1.5; },
         [](Snapshot& node) { node.verdict.bottleneck.clear(); }},
    };
    ASSERT_EQ(std::size(rows), all_history_series.size());
    for (const auto& [series, value, set, forget] : rows) {
        SCOPED_TRACE(series);
        const auto& row = all_history_series[index(series)];
        Snapshot node = node_;
        node.at = at(60s);
        set(node);
        EXPECT_THAT(row.value(node), Optional(Eq(value)));
        forget(node);
        EXPECT_FALSE(row.value(node)) << "unknown is not 0";
    }
}

TEST_F(HistoryTest, KeepsOfASecondWhatMatters) {
    const auto sample = [this](std::chrono::nanoseconds when, double value, NodeState state) {
        node_.rates.bits_in = value * 8;
        node_.peaks.bits_in = value * 8;
        node_.verdict.weight.percent = static_cast<int>(value);
        node_.verdict.state = state;
        node_.verdict.readings[0].utilisation = value;
        publish(when);
    };
    sample(100ms, 20, NodeState::up);
    sample(350ms, 30, NodeState::down);
    sample(600ms, 10, NodeState::up);
    sample(850ms, 25, NodeState::up);
    publish(1s);
    EXPECT_THAT(values("band_in_bytes_per_second"), ElementsAre(25)) << "the last mean";
    EXPECT_THAT(values("peak_in_bytes_per_second"), ElementsAre(30)) << "the highest peak";
    EXPECT_THAT(values("bottleneck_utilisation"), ElementsAre(30)) << "the highest";
    EXPECT_THAT(values("weight"), ElementsAre(10)) << "the lowest";
    EXPECT_THAT(values("state"), ElementsAre(static_cast<double>(NodeState::down)));
}

TEST_F(HistoryTest, LeavesAGapWhereNothingWasKnown) {
    publish(100ms);
    node_.rates.bits_in.reset();
    publish(600ms);
    publish(1s);
    node_.rates.bits_in = 16'000;
    publish(2s);
    publish(3s);
    EXPECT_THAT(values("band_in_bytes_per_second"), ElementsAre(-1, -1, 2000))
        << "what a second ends with counts";
    EXPECT_THAT(values("weight"), ElementsAre(50, 50, 50));
}

TEST_F(HistoryTest, BridgesSamplesThatAreRareAndNoMore) {
    history_.set_longest_pause(4s);
    publish(0s);
    node_.verdict.weight.percent = 40;
    publish(4s);
    node_.verdict.weight.percent = 30;
    publish(8001ms);
    publish(9s);
    EXPECT_THAT(values("weight"), ElementsAre(50, 40, 40, 40, 40, -1, -1, -1, 30));
    EXPECT_THAT(values("band_in_bytes_per_second"),
                ElementsAre(1000, 1000, 1000, 1000, 1000, -1, -1, -1, 1000));
}

TEST_F(HistoryTest, WithoutANewSampleOnlyTheAnswerIsKnown) {
    publish(500ms);
    node_.verdict.weight.percent = 0;
    node_.verdict.state = NodeState::down;
    history_.add(node_, at(1500ms));
    history_.add(node_, at(2500ms));
    EXPECT_THAT(values("band_in_bytes_per_second"), ElementsAre(1000, -1));
    EXPECT_THAT(values("bottleneck_utilisation"), ElementsAre(0.5, -1));
    EXPECT_THAT(values("weight"), ElementsAre(50, 0));
}

TEST_F(HistoryTest, HoldsFifteenMinutesAndThenForgetsTheOldest) {
    for (int second = 0; second < 2'000; ++second) {
        node_.rates.bits_out = second * 8.0;
        publish(std::chrono::seconds(second));
    }
    EXPECT_EQ(history_.seconds().end, start + 1'999);
    const auto kept = values("band_out_bytes_per_second");
    ASSERT_EQ(kept.size(), History::capacity);
    for (std::size_t i = 0; i < kept.size(); ++i)
        EXPECT_EQ(kept[i], static_cast<double>(1'099 + i));
}

TEST_F(HistoryTest, OutlivesAPauseLongerThanItself) {
    publish(0s);
    publish(1s);
    node_.verdict.weight.percent = 10;
    publish(1h);
    publish(1h + 1s);
    const auto kept = values("weight");
    ASSERT_EQ(kept.size(), History::capacity);
    EXPECT_EQ(kept.back(), 10);
    EXPECT_EQ(std::ranges::count(kept, -1.0), static_cast<std::ptrdiff_t>(kept.size()) - 1);
}

TEST_F(HistoryTest, ANumberThatIsNoneIsUnknown) {
    node_.rates.bits_in = 1e300;
    publish(0s);
    publish(1s);
    EXPECT_THAT(values("band_in_bytes_per_second"), ElementsAre(-1));
}

}  // namespace
}  // namespace wcs_node_agent
