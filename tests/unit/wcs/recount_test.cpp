// SPDX-License-Identifier: Apache-2.0
#include "wcs/recount.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace wcs_node_agent::test {
namespace {

using namespace std::chrono_literals;

const Clock::time_point start{100s};

WcsState polled(std::map<std::string, double, std::less<>> numbers, Clock::time_point at) {
    WcsPage page;
    page.numbers = std::move(numbers);
    WcsState state;
    state.asked = true;
    state.page_at = at;
    state.page = std::make_shared<const WcsPage>(std::move(page));
    return state;
}

CountNames only_hls(const char* name) {
    CountNames names;
    names.publishers = names.subscribers = {};
    names.hls = {name};
    return names;
}

TEST(Recount, CountsTheSamePageByOtherNames) {
    auto state = polled({{"mine", 7}, {"streams_hls", 3}}, start);
    state.hls = HeldCount{3, start};
    Recount recount;
    recount.count(state, only_hls("mine"));
    EXPECT_EQ(recount.state().hls->value, 7);
    EXPECT_EQ(recount.state().publishers->value, 0) << "of no names";
    EXPECT_EQ(recount.state().fault, WcsFault::none);
}

TEST(Recount, TheNodesMissingNameIsNotItsOwnAndTheOtherWayRound) {
    auto state = polled({{"mine", 7}}, start);
    state.fault = WcsFault::missing_name;
    state.fault_text = "no streams_hls";
    Recount recount;
    recount.count(state, only_hls("mine"));
    EXPECT_EQ(recount.state().fault, WcsFault::none);
    EXPECT_EQ(recount.state().fault_text, "");
    recount.count(state, only_hls("yours"));
    EXPECT_EQ(recount.state().fault, WcsFault::missing_name);
    EXPECT_EQ(recount.state().fault_text, "the page has no number named 'yours'");
    EXPECT_TRUE(recount.state().up());
}

TEST(Recount, ACountThatIsMissingStaysWithItsTimeAndAPauseOfTheProcessExtendsAPage) {
    Recount recount;
    recount.count(polled({{"mine", 7}}, start), only_hls("mine"));
    auto later = polled({}, start + 5s);
    recount.count(later, only_hls("mine"));
    EXPECT_EQ(recount.state().hls->value, 7);
    EXPECT_EQ(recount.state().hls->at, start);
    auto paused = polled({{"mine", 8}}, start + 6s);
    paused.page_pause = 3s;
    recount.count(paused, only_hls("mine"));
    EXPECT_EQ(recount.state().hls->at, start + 9s);
}

TEST(Recount, OfSilenceItSaysWhatThePollerSays) {
    WcsState state;
    state.asked = true;
    state.fault = WcsFault::timeout;
    state.fault_text = "no answer";
    state.silent = true;
    Recount recount;
    recount.count(state, only_hls("mine"));
    EXPECT_EQ(recount.state().fault_text, "no answer");
    EXPECT_TRUE(recount.state().silent);
    EXPECT_FALSE(recount.state().hls);
}

}  // namespace
}  // namespace wcs_node_agent::test
