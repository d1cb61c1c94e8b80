// SPDX-License-Identifier: Apache-2.0
#include "load/udp_loss.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

struct Reading {
    int second;
    UdpCounters counters;
};

Rates rates_after(const std::vector<Reading>& readings) {
    UdpLoss loss;
    for (const auto& [second, counters] : readings)
        loss.add(Clock::time_point(std::chrono::seconds(second)), counters);
    Rates rates;
    loss.set(rates);
    return rates;
}

TEST(UdpLoss, OfWhatCameForSocketsWithinTheWindow) {
    struct Row {
        const char* shows;
        std::vector<Reading> readings;
        std::optional<double> whole;
        std::optional<double> so_far;
    };
    const std::vector<Row> rows{
        {"nothing read", {}, {}, {}},
        {"one reading: no datagram yet", {{0, {9000, 900}}}, {}, 0},
        {"lost of received and lost", {{0, {100, 50}}, {10, {9850, 300}}}, 0.025, {}},
        {"all of them", {{0, {0, 0}}, {10, {0, 5000}}}, 1, {}},
        {"what was lost before counts no longer",
         {{0, {0, 0}}, {1, {0, 5000}}, {11, {2000, 5000}}},
         0,
         {}},
        {"one lost of twenty is no evidence", {{0, {0, 0}}, {10, {19, 1}}}, 0, {}},
        {"nor of one less than a thousand", {{0, {0, 0}}, {10, {99, 900}}}, 0, {}},
        {"of a thousand it is", {{0, {0, 0}}, {10, {900, 100}}}, 0.1, {}},
        {"less than the window", {{0, {0, 0}}, {4, {1000, 1000}}}, {}, 0.5},
        {"counters that went back begin anew", {{0, {5000, 5000}}, {10, {10, 0}}}, {}, 0},
        {"a reading that is not later is passed over",
         {{0, {0, 0}}, {10, {900, 100}}, {10, {0, 5000}}},
         0.1,
         {}},
        {"a late reading makes a longer window", {{0, {0, 0}}, {30, {900, 100}}}, 0.1, {}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto rates = rates_after(row.readings);
        EXPECT_EQ(rates.udp_loss, row.whole);
        EXPECT_EQ(rates.so_far.udp_loss, row.so_far);
    }
}

}  // namespace
}  // namespace wcs_node_agent
