// SPDX-License-Identifier: Apache-2.0
#include "config/effective_config.hpp"

#include "temporary_folder.hpp"

#include <chrono>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

TEST(EffectiveConfig, TheCommandLineWinsOverTheFileAndTheFileOverTheDefaults) {
    const test::TemporaryFolder folder;
    const auto file = folder.write("c.json", R"({"cpu": 70, "band_out": 500, "window": "4s"})");
    const auto config =
        load_config(file, Json{{"cpu", "60"}, {"allow", Json::array({"10.0.0.0/8"})}});
    ASSERT_TRUE(config) << to_string(config.error());
    EXPECT_EQ(named(config->limits, "cpu").maximum, 60);
    EXPECT_EQ(named(config->limits, "band_out").maximum, 500);
    EXPECT_EQ(named(config->limits, "hls").maximum, 100);
    EXPECT_EQ(config->window, 4s);
    EXPECT_EQ(config->allow.v4.size(), 1) << "a list is replaced, not added to";
}

TEST(EffectiveConfig, AllFaultsOfBothWithTheirPlaces) {
    const test::TemporaryFolder folder;
    const auto file = folder.write("c.json", R"({"cpu": 700, "sample_interval": "5s"})");
    const auto config =
        load_config(file, Json{{"band_out", "x"}, {"allow", Json::array({"::1", "10.1.2.3/8"})}});
    ASSERT_FALSE(config);
    EXPECT_EQ(to_string(config.error()),
              fmt::format(
                  "{0}: /cpu: must be a number greater than 0 and up to 100, or \"off\", not 700\n"
                  "--band-out: must be a number greater than 0 and up to 1000000000, a share of "
                  "the link's speed up to \"100%\", or \"off\", "
                  "not \"x\"\n"
                  "--allow: \"10.1.2.3/8\" has bits set past its prefix: write \"10.0.0.0/8\"\n"
                  "{0}: /window: window, 2s, is shorter than sample_interval, 5s\n",
                  file.string()));
}

TEST(EffectiveConfig, AConflictIsPlacedWhereTheOperatorWroteLast) {
    const test::TemporaryFolder folder;
    const auto file = folder.write("c.json", R"({"window": "1s"})");
    const auto with_file = load_config(file, Json{{"sample_interval", "2s"}});
    ASSERT_FALSE(with_file);
    EXPECT_EQ(to_string(with_file.error()),
              "--sample-interval: window, 1s, is shorter than sample_interval, 2s\n");
}

TEST(EffectiveConfig, NoConflictIsToldOfAValueThatIsFaultyItself) {
    const auto config =
        load_config(std::nullopt, Json{{"window", "ten"}, {"sample_interval", "5s"}});
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().size(), 1);
}

TEST(EffectiveConfig, NoConflictIsToldWhereTheFileIsUnknown) {
    const test::TemporaryFolder folder;
    const auto config = load_config(folder.path() / "gone.json", Json{{"sample_interval", "5s"}});
    ASSERT_FALSE(config);
    EXPECT_EQ(to_string(config.error()), (folder.path() / "gone.json").string() +
                                             ": cannot be read: No such file or directory\n");
}

TEST(EffectiveConfig, ANamedFileIsUsedEvenIfItIsNotThere) {
    EXPECT_EQ(find_config_file("/nowhere/x.json"), "/nowhere/x.json");
}

}  // namespace
}  // namespace wcs_node_agent
