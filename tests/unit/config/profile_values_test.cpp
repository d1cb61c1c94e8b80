// SPDX-License-Identifier: Apache-2.0
#include "config/profile_values.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Profiles, HaveTheirOwnAndTheRestFromTheTopLevel) {
    Config config;
    const auto values = R"({
        "profiles": {"play": {"agent_listen": "127.0.0.1:9718", "subscribers": 400, "cpu": "off",
                              "counts": {"hls": ["other_hls"]}}},
        "publishers": 50, "cpu": 80, "counts": {"connections": []}})";
    ASSERT_EQ(to_string(apply_settings(config, Json::parse(values))), "");
    ASSERT_THAT(config.profiles, SizeIs(1));
    const auto& play = config.profiles[0];
    EXPECT_EQ(play.name, "play");
    EXPECT_EQ(play.agent_listen.at(0).port(), 9718);
    EXPECT_EQ(named(play.limits, "subscribers").maximum, 400);
    EXPECT_EQ(named(play.limits, "publishers").maximum, 50) << "what is behind it in the file too";
    EXPECT_FALSE(named(play.limits, "cpu").maximum);
    EXPECT_EQ(play.counts.hls, std::vector<std::string>{"other_hls"});
    EXPECT_THAT(play.counts.connections, IsEmpty());
    EXPECT_EQ(named(config.limits, "subscribers").maximum, 100);

    // As the command line does: what is its own stays.
    ASSERT_EQ(to_string(apply_settings(config, {{"publishers", "7"}, {"cpu", "70"}})), "");
    EXPECT_EQ(named(config.profiles[0].limits, "publishers").maximum, 7);
    EXPECT_FALSE(named(config.profiles[0].limits, "cpu").maximum);

    Config again;
    ASSERT_EQ(to_string(apply_settings(again, show_settings(config))), "");
    EXPECT_EQ(show_settings(again), show_settings(config));
    EXPECT_EQ(again.profiles[0].limits, play.limits);
}

TEST(Profiles, ErrorsHaveTheirPlace) {
    struct Row {
        std::string_view values;
        std::string_view error;
    };
    const std::array rows{
        Row{R"([])", "/profiles: must be an object of profiles by name, not an array\n"},
        Row{R"({"a": 1})", "/profiles/a: must be an object of settings, not 1\n"},
        Row{R"({"a": {}})", "/profiles/a/agent_listen: is missing\n"},
        Row{R"({"A": {"agent_listen": "127.0.0.1:1"}})",
            "/profiles/A: must be named by 1 to 32 letters, digits, _ and -, all lower case\n"},
        Row{R"({"a": {"agent_listen": "nowhere"}})", "/profiles/a/agent_listen: must be ADDR:PORT"},
        Row{R"({"a": {"agent_listen": "127.0.0.1:1", "capacity": 0}})",
            "/profiles/a/capacity: must be a number of sessions greater than 0"},
        Row{R"({"a": {"agent_listen": "127.0.0.1:1", "policy": "best"}})",
            R"(/profiles/a/policy: must be one of "headroom", "proportional", not "best")"},
        Row{R"({"a": {"agent_listen": "127.0.0.1:1", "wcs_url": "http://wcs:80/"}})",
            "/profiles/a/wcs_url: is the node's and not a profile's: set it outside of profiles\n"},
        Row{R"({"a": {"agent_listen": "127.0.0.1:1", "kernel": {}}})",
            "/profiles/a/kernel: is the node's"},
        Row{R"({"a": {"agent_listen": "127.0.0.1:1", "profiles": {}}})",
            "/profiles/a/profiles: is the node's"},
        Row{R"({"a": {"agent_listen": "127.0.0.1:1", "publisher": 1}})",
            "/profiles/a/publisher: unknown key; did you mean publishers?\n"},
        Row{R"({"a": {"agent_listen": "127.0.0.1:1", "limits": [{"name": "x"}]}})",
            "/profiles/a/limits/0/value: is missing"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.values);
        Config config;
        const auto errors = apply_settings(config, {{"profiles", Json::parse(row.values)}});
        EXPECT_THAT(to_string(errors), HasSubstr(row.error));
        EXPECT_THAT(config.profiles, IsEmpty());
    }
    Json many = Json::object();
    for (int i = 0; i < 17; ++i) many["p" + std::to_string(i)] = {{"agent_listen", "127.0.0.1:0"}};
    Config config;
    EXPECT_THAT(to_string(apply_settings(config, {{"profiles", many}})),
                HasSubstr("/profiles: must have at most 16 profiles, not 17"));
    many.erase("p16");
    EXPECT_EQ(to_string(apply_settings(config, {{"profiles", many}})), "");
}

TEST(Profiles, ConflictsNameBothSides) {
    struct Row {
        std::string_view values;
        std::vector<std::string> conflicts;
    };
    const std::array rows{
        Row{R"({"profiles": {"a": {"agent_listen": "127.0.0.1:1"}}})", {}},
        Row{R"({"profiles": {"a": {"agent_listen": "127.0.0.1:9708"}}})",
            {"profiles.a.agent_listen and metrics_listen both have 127.0.0.1:9708"}},
        Row{R"({"profiles": {"a": {"agent_listen": "127.0.0.1:9707"}}})",
            {"profiles.a.agent_listen 127.0.0.1:9707 and agent_listen 0.0.0.0:9707 are one port "
             "twice: each needs one of its own"}},
        Row{R"({"profiles": {"a": {"agent_listen": "[::]:1"}, "b": {"agent_listen": "[::]:1"}}})",
            {"profiles.b.agent_listen and profiles.a.agent_listen both have [::]:1"}},
        Row{R"({"profiles": {"a": {"agent_listen": "[::]:1", "stale_after": "1s"}}})",
            {"profiles.a.stale_after, 1s, is not longer than wcs_interval, 1s: the counts would be "
             "stale between two fetches"}},
        Row{R"({"peaks": false,
                "profiles": {"a": {"agent_listen": "[::]:1", "band_out_peak": 100}}})",
            {"profiles.a.band_out_peak is held against the peaks, which are off: set peaks"}},
        Row{R"({"stale_after": "1s", "profiles": {"a": {"agent_listen": "[::]:1"}}})",
            {"stale_after, 1s, is not longer than wcs_interval, 1s: the counts would be stale "
             "between two fetches"}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.values);
        Config config;
        ASSERT_EQ(to_string(apply_settings(config, Json::parse(row.values))), "");
        std::vector<std::string> conflicts;
        for (const Conflict& conflict : find_conflicts(config)) conflicts.push_back(conflict.what);
        EXPECT_EQ(conflicts, row.conflicts);
    }
}

TEST(Profiles, WhatChangedOfTheirOwnIsSaid) {
    const auto made = [](std::string_view values) {
        Config config;
        EXPECT_EQ(to_string(apply_settings(config, Json::parse(values))), "");
        return config;
    };
    const auto before = made(R"({"publishers": 60, "profiles": {
        "a": {"agent_listen": "127.0.0.1:1", "publishers": 50},
        "b": {"agent_listen": "127.0.0.1:2"}}})");
    EXPECT_THAT(changed_profiles(before, before), IsEmpty());
    const auto after = made(R"({"publishers": 70, "profiles": {
        "a": {"agent_listen": "127.0.0.1:1"},
        "c": {"agent_listen": "127.0.0.1:3"}}})");
    EXPECT_THAT(changed_profiles(before, after),
                ElementsAre(SettingChange{"profiles.b", "127.0.0.1:2", "none"},
                            SettingChange{"profiles.a.publishers", "50", "70"},
                            SettingChange{"profiles.c", "none", "127.0.0.1:3"}));
    EXPECT_THAT(changed_settings(before, after),
                ElementsAre(SettingChange{"publishers", "60", "70"}));
}

}  // namespace
}  // namespace wcs_node_agent
