// SPDX-License-Identifier: Apache-2.0
#include "cli/config_commands.hpp"

#include "temporary_folder.hpp"

#include <optional>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::HasSubstr;

TEST(ConfigCheck, SaysOkOnStandardOutput) {
    const test::TemporaryFolder folder;
    const auto file = folder.write("good.json", "{}");
    std::ostringstream out, err;
    EXPECT_EQ(check_config(file, out, err), 0);
    EXPECT_EQ(out.str(), file.string() + ": ok\n");
    EXPECT_EQ(err.str(), "");
}

TEST(ConfigCheck, TellsEveryFaultOnStandardError) {
    const test::TemporaryFolder folder;
    const auto file = folder.write(
        "bad.json", R"({"cpu": "lots", "wimdow": "2s", "sample_interval": "5s", "allow": ["x"]})");
    std::ostringstream out, err;
    EXPECT_EQ(check_config(file, out, err), 2);
    EXPECT_EQ(out.str(), "");
    for (const char* place : {": /cpu: ", ": /wimdow: unknown key; did you mean window?",
                              ": /allow/0: ", ": /window: window, 2s, is shorter"}) {
        EXPECT_THAT(err.str(), HasSubstr(file.string() + place));
    }
}

TEST(ConfigShow, WhatItPrintsIsAFileThatDoesTheSame) {
    const test::TemporaryFolder folder;
    const auto file = folder.write("some.json", R"({
        "allow": ["10.0.0.0/8", "fd00::/8"], "interface": ["eth*"], "band_in": 2.5,
        "counts": {"publishers": {"rtsp": []}}, "when_stale": "hold", "window": "1500ms",
        "band_out": "80%"})");
    std::ostringstream first, second, err;
    ASSERT_EQ(show_config(file, Json{{"hls", "off"}, {"recover", "0.8"}}, first, err), 0)
        << err.str();
    const Json shown = Json::parse(first.str());
    EXPECT_EQ(shown["hls"], "off");
    EXPECT_EQ(shown["recover"], 0.8);
    EXPECT_EQ(shown["band_in"], 2.5);
    EXPECT_EQ(shown["band_out"], "80%");
    EXPECT_EQ(shown["window"], "1500ms");
    ASSERT_EQ(show_config(folder.write("again.json", first.str()), Json::object(), second, err), 0)
        << err.str();
    EXPECT_EQ(second.str(), first.str());
}

TEST(ConfigShow, FaultsEndItWithTwo) {
    std::ostringstream out, err;
    EXPECT_EQ(show_config(std::nullopt, Json{{"cpu", "x"}}, out, err), 2);
    EXPECT_EQ(out.str(), "");
    EXPECT_THAT(err.str(), HasSubstr("--cpu: "));
}

TEST(ConfigShow, OtherBytesThanUtf8DoNotStopIt) {
    std::ostringstream out, err;
    EXPECT_EQ(show_config(std::nullopt, Json{{"interface", "eth\xff"}}, out, err), 0);
    EXPECT_FALSE(Json::parse(out.str(), nullptr, false).is_discarded());
}

}  // namespace
}  // namespace wcs_node_agent
