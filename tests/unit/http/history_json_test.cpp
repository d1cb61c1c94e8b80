// SPDX-License-Identifier: Apache-2.0
#include "http/history_json.hpp"

#include "unit/http/sample_snapshot.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace wcs_node_agent::test {

namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr std::int64_t start = 1'000;  // a second of the clock

/// That of a node which was published once a second for so long, the last one under way.
History history_of(int seconds) {
    History history;
    Snapshot node = busy_node();
    for (int second = 0; second <= seconds; ++second) {
        node.at = Clock::time_point(std::chrono::seconds(start + second) + 200ms);
        node.rates.bits_in = second == 1 ? std::optional<double>() : 8000.8 * second;
        node.wcs.publishers = HeldCount{7, node.at};
        history.add(node, node.at);
    }
    return history;
}

}  // namespace

TEST(HistoryJson, HasAnArrayForEachSeries) {
    const auto history = history_of(3);
    const BothClocks now{.steady = Clock::time_point(std::chrono::seconds(start + 3) + 250ms),
                         .wall = std::chrono::system_clock::time_point(1'700'000'010'500ms)};
    const auto text = history_json(history, history.seconds(), now);
    const auto json = Json::parse(text);
    EXPECT_EQ(json["interval_seconds"], 1);
    EXPECT_EQ(json["capacity_points"], 900);
    EXPECT_EQ(json["memory_bytes"], sizeof(History));
    EXPECT_EQ(json["first"], start);
    EXPECT_EQ(json["last"], start + 2);
    EXPECT_EQ(json["last_time_seconds"], 1'700'000'009.25) << "when the last one began";
    EXPECT_EQ(json["states"], Json({"up", "down", "drain", "maint"}));
    EXPECT_EQ(json["series"].size(), all_history_series.size());
    for (const auto& series : all_history_series)
        EXPECT_EQ(json["series"][std::string(series.name)].size(), 3U) << series.name;
    const auto& series = json["series"];
    EXPECT_EQ(series["band_in_bytes_per_second"], Json({0, nullptr, 2000}));
    EXPECT_EQ(series["peak_in_bytes_per_second"], Json({nullptr, nullptr, nullptr}));
    EXPECT_EQ(series["cpu_utilisation"], Json({0.25, 0.25, 0.25}));
    EXPECT_EQ(series["publishers"], Json({7, 7, 7}));
    EXPECT_EQ(series["state"], Json({0, 0, 0}));
    EXPECT_EQ(series["bottleneck_utilisation"], Json({0.75, 0.75, 0.75}));
}

TEST(HistoryJson, OfNothingIsEmpty) {
    const auto json = Json::parse(history_json(History(), {}, BothClocks::now()));
    EXPECT_EQ(json["last"].get<int>(), json["first"].get<int>() - 1);
    EXPECT_EQ(json["series"]["weight"], Json::array());
}

TEST(HistoryJson, SaysWhatIsNewerThanASecond) {
    const auto history = history_of(1'000);
    const auto [first, end] = history.seconds();
    struct Row {
        const char* shows;
        std::int64_t since;
        std::int64_t first;
    };
    const Row rows[] = {
        {"the last one: nothing is newer", end - 1, end},
        {"the one before", end - 2, end - 1},
        {"a minute ago", end - 61, end - 60},
        {"more than a minute ago", end - 62, first},
        {"the oldest", first, first},
        {"older than the oldest", first - 1, first},
        {"not yet over, as before a reboot", end, first},
        {"no second at all", -1, first},
        {"the greatest number", std::numeric_limits<std::int64_t>::max(), first},
        {"the least number", std::numeric_limits<std::int64_t>::min(), first},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto span = newer_than(history, row.since);
        EXPECT_EQ(span.first, row.first);
        EXPECT_EQ(span.end, end);
    }
}

}  // namespace wcs_node_agent::test
