// SPDX-License-Identifier: Apache-2.0
#include "daemon/assessor.hpp"

#include "config/settings.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace wcs_node_agent::test {
namespace {

using namespace std::chrono_literals;

Config made(std::string_view values) {
    Config config;
    EXPECT_EQ(to_string(apply_settings(config, Json::parse(values))), "");
    return config;
}

/// A moment with so many streams of the default names, and `other_in` besides.
class AssessorTest : public testing::Test {
 protected:
    Snapshot assess(double publishers, double subscribers, double other = 0,
                    std::span<const CheckCounters> checks = {}) {
        now_ += 1s;
        Sample sample;
        sample.counters.at = now_;
        sample.rates.cpu_utilisation = 0.1;
        sample.rates.bits_in = sample.rates.bits_out = 1e6;
        sample.rates.udp_loss = 0;
        WcsPage page;
        page.numbers = {{"streams_webrtc_in", publishers},
                        {"streams_webrtc_out", subscribers},
                        {"streams_rtmp_out", 0},
                        {"streams_rtsp_out", 0},
                        {"streams_hls", 0},
                        {"other_in", other}};
        WcsState wcs;
        wcs.asked = true;
        wcs.page_at = now_;
        wcs.page = std::make_shared<const WcsPage>(std::move(page));
        wcs.publishers = HeldCount{publishers, now_};
        wcs.subscribers = HeldCount{subscribers, now_};
        wcs.hls = HeldCount{0, now_};
        return assessor_.assess(std::move(sample), wcs, {}, checks);
    }

    static constexpr std::string_view two_profiles = R"({
        "policy": "proportional",
        "profiles": {
            "publish": {"agent_listen": "127.0.0.1:1", "publishers": 50, "subscribers": "off"},
            "play": {"agent_listen": "127.0.0.1:2", "publishers": "off", "subscribers": 400}}})";

    Clock::time_point now_{100s};
    Assessor assessor_{made(two_profiles)};
};

TEST_F(AssessorTest, EachProfileHasAnAnswerOfItsOwnOfOneSample) {
    const auto snapshot = assess(10, 40);
    EXPECT_EQ(snapshot.agent_reply, "up 60%\n");
    ASSERT_EQ(snapshot.profiles.size(), 2U);
    EXPECT_EQ(snapshot.profiles[0].name, "publish");
    EXPECT_EQ(snapshot.profiles[0].agent_reply, "up 80%\n");
    EXPECT_EQ(snapshot.profiles[1].agent_reply, "up 89%\n") << "cpu, 10 of 90";
}

TEST_F(AssessorTest, HysteresisIsTheProfilesAndOutlivesReloadsThatKeepItsName) {
    EXPECT_EQ(assess(50, 40).profiles[0].verdict.state, NodeState::down);
    EXPECT_EQ(assess(49, 40).profiles[0].verdict.state, NodeState::down) << "above recover";
    EXPECT_EQ(assess(49, 40).verdict.state, NodeState::up);
    auto config = made(two_profiles);
    std::swap(config.profiles[0], config.profiles[1]);
    assessor_.configure(config);
    EXPECT_EQ(assess(49, 40).profiles[1].verdict.state, NodeState::down);
    config.profiles[1].name = "renamed";
    assessor_.configure(config);
    EXPECT_EQ(assess(49, 40).profiles[1].verdict.state, NodeState::up) << "has no history";
}

TEST_F(AssessorTest, OwnCountsAreOfTheSamePage) {
    auto config = made(two_profiles);
    config.profiles[0].counts.publishers = {{{"other_in"}, {}, {}}};
    assessor_.configure(config);
    const auto snapshot = assess(10, 40, 25);
    EXPECT_EQ(snapshot.profiles[0].agent_reply, "up 50%\n");
    EXPECT_EQ(snapshot.agent_reply, "up 60%\n");
}

TEST_F(AssessorTest, BalancersAreThoseThatAskTheProfile) {
    std::array<CheckCounters, 2> checks{};
    checks[1] = {{5, 0, 0, 0}, 3};
    const auto snapshot = assess(10, 40, 0, checks);
    EXPECT_EQ(snapshot.verdict.weight.balancers, 1U);
    EXPECT_EQ(snapshot.profiles[1].verdict.weight.balancers, 3U);
    EXPECT_EQ(snapshot.profiles[1].checks.checks[0], 5U);
}

/// By whatever way the load goes: a profile that sets nothing says what the node says, and no other
/// profile moves it.
TEST(Assessor, AProfileAsTheNodeAnswersAsTheNode) {
    auto config = made(R"({"profiles": {
        "same": {"agent_listen": "127.0.0.1:1"},
        "tight": {"agent_listen": "127.0.0.1:2", "publishers": 3, "recent_sessions": "1m"}}})");
    Assessor with(config);
    config.profiles.clear();
    Assessor without(config);
    Clock::time_point now{100s};
    for (int i = 0; i < 500; ++i) {
        now += 250ms;
        Sample sample;
        sample.counters.at = now;
        sample.rates.cpu_utilisation = 0.5 + 0.5 * std::sin(i * 0.1);
        sample.rates.bits_in = 60e6 * (1 + std::sin(i * 0.07));
        WcsState wcs;
        wcs.asked = true;
        wcs.page_at = now;
        wcs.publishers = HeldCount{60 + 50 * std::sin(i * 0.03), now};
        wcs.subscribers = wcs.hls = HeldCount{40 + 30 * std::cos(i * 0.05), now};
        const auto all = with.assess(sample, wcs, {});
        const auto alone = without.assess(sample, wcs, {});
        ASSERT_EQ(all.agent_reply, alone.agent_reply) << i;
        ASSERT_EQ(all.profiles[0].agent_reply, alone.agent_reply) << i;
        for (const auto& profile : all.profiles) {
            const auto& weight = profile.verdict.weight;
            const bool is_up = profile.verdict.state == NodeState::up;
            ASSERT_TRUE(is_up ? weight.percent >= 1 && weight.percent <= 256 : weight.percent == 0);
        }
    }
}

}  // namespace
}  // namespace wcs_node_agent::test
