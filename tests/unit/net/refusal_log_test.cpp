// SPDX-License-Identifier: Apache-2.0
#include "net/refusal_log.hpp"

#include "log_capture.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;

class Refusals : public testing::Test {
 protected:
    std::ptrdiff_t lines() const { return std::ranges::count(log_.text(), '\n'); }

    LogCapture log_;
    RefusalLog refusals_{"agent_listen", "allow"};
    const Clock::time_point now_{1h};
};

TEST_F(Refusals, AreOneLineASourceAndMinute) {
    const auto source = make_address("10.77.0.1");
    refusals_.report(source, now_);
    EXPECT_EQ(log_.text(),
              "[warning] agent_listen: 10.77.0.1 asked and is not in allow: closed without an "
              "answer\n");
    refusals_.report(source, now_ + 59s);
    EXPECT_EQ(lines(), 1);
    refusals_.report(make_address("fd00::1"), now_ + 59s);
    EXPECT_EQ(lines(), 2) << "another source";
    refusals_.report(source, now_ + 60s);
    EXPECT_EQ(lines(), 3) << "the next minute";
}

TEST_F(Refusals, OfAScanAreFewLines) {
    for (int i = 0; i < 10'000; ++i)
        refusals_.report(make_address(fmt::format("10.1.{}.{}", i / 250, i % 250)), now_);
    EXPECT_EQ(lines(), static_cast<std::ptrdiff_t>(RefusalLog::most_sources) + 1);
    EXPECT_NE(log_.text().find("still other sources"), std::string::npos);
    refusals_.report(make_address("10.2.0.1"), now_ + 61s);
    EXPECT_EQ(lines(), static_cast<std::ptrdiff_t>(RefusalLog::most_sources) + 2)
        << "the old ones make way";
}

}  // namespace
}  // namespace wcs_node_agent
