// SPDX-License-Identifier: Apache-2.0
#include "load/node_load.hpp"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

const Clock::time_point now(1000s);

LimitReading reading(LimitValue held, double used, bool soft = false) {
    return {.name = "limit",
            .held = held,
            .soft = soft,
            .value = 100 * used,
            .maximum = 100,
            .utilisation = used};
}

TEST(NodeLoad, TheHighestUtilisationOfEachKindOfLimit) {
    auto partial = reading(LimitValue::subscribers, 0.4);
    partial.at_least = true;
    auto off = reading(LimitValue::subscribers, 0.4);
    off.at_least = true;
    off.maximum.reset();
    off.utilisation.reset();
    auto unknown = reading(LimitValue::band_out, 0);
    unknown.unknown = "hook lost";
    unknown.value.reset();
    unknown.utilisation.reset();
    const auto cpu = reading(LimitValue::cpu, 0.3);
    struct Row {
        const char* shows;
        std::vector<LimitReading> readings;
        Utilisations expected;
    };
    const std::vector<Row> rows{
        {"nothing is checked", {}, {}},
        {"what is measured", {cpu}, {0.3, 0.3, 0.3}},
        {"what WCS counts", {cpu, reading(LimitValue::hls, 0.5)}, {0.5, 0.5, 0.5}},
        {"a soft limit", {cpu, reading(LimitValue::udp_loss, 0.9, true)}, {0.9, 0.3, 0.3}},
        {"one of the page", {cpu, reading(LimitValue::page, 0.8)}, {0.8, 0.8, 0.3}},
        {"known in part", {cpu, partial}, {0.4, 0.4, {}}},
        {"known in part, and off", {cpu, off}, {0.3, 0.3, 0.3}},
        {"not known", {cpu, unknown}, {0.3, 0.3, {}}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        Verdict verdict;
        verdict.readings = row.readings;
        const auto highest = utilisations_of(verdict);
        EXPECT_EQ(highest.all, row.expected.all);
        EXPECT_EQ(highest.hard, row.expected.hard);
        EXPECT_EQ(highest.by_sessions, row.expected.by_sessions);
    }
}

TEST(NodeLoad, SessionsAreCountedWhetherTheyAreLimitedOrNot) {
    Verdict verdict;
    verdict.readings = {reading(LimitValue::publishers, 0.05),
                        reading(LimitValue::subscribers, 0.4), reading(LimitValue::hls, 0.1),
                        reading(LimitValue::cpu, 0.9)};
    verdict.readings[0].maximum.reset();
    verdict.readings[2].at_least = true;
    const auto counts = session_counts(verdict);
    EXPECT_EQ(counts.publishers, 5);
    EXPECT_EQ(counts.subscribers, 40);
    EXPECT_FALSE(counts.hls) << "it is known in part";
    EXPECT_EQ(counts.sum(), 45);
    EXPECT_FALSE(SessionCounts().sum());
}

TEST(NodeLoad, ConnectionsAreThoseOfAPageThatIsFresh) {
    WcsState wcs;
    const auto connections = [&wcs](const std::vector<std::string>& names,
                                    Clock::time_point at = now) {
        return connections_of(names, wcs, 10s, at);
    };
    EXPECT_FALSE(connections({"connections"})) << "no page yet";
    WcsPage page;
    page.numbers = {{"connections", 7}, {"others", 2}, {"twice", 1}};
    page.disputed = {{"twice", 1}};
    wcs.page = std::make_shared<WcsPage>(page);
    wcs.page_at = now;
    EXPECT_EQ(connections({"connections"}), 7);
    EXPECT_EQ(connections({"connections", "others"}), 9);
    EXPECT_FALSE(connections({"connections", "more"})) << "a part is not the whole";
    EXPECT_FALSE(connections({"twice"}));
    EXPECT_FALSE(connections({})) << "switched off";
    EXPECT_EQ(connections({"connections"}, now + 10s), 7);
    EXPECT_FALSE(connections({"connections"}, now + 10001ms));
    wcs.page_pause = 5s;
    EXPECT_EQ(connections({"connections"}, now + 15s), 7) << "this process stood still";
}

TEST(NodeLoad, TheLowestLimitOfACountIsWhatIsExpected) {
    auto limits = default_limits();
    EXPECT_EQ(expected_capacity(limits), 100);
    named(limits, "subscribers").maximum = 500;
    named(limits, "publishers").maximum = 40;
    EXPECT_EQ(expected_capacity(limits), 40);
    for (const char* name : {"publishers", "subscribers", "hls"})
        named(limits, name).maximum.reset();
    EXPECT_EQ(expected_capacity(limits), 100);
}

}  // namespace
}  // namespace wcs_node_agent
