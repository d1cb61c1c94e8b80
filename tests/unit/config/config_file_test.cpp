// SPDX-License-Identifier: Apache-2.0
#include "config/config_file.hpp"

#include "temporary_folder.hpp"

#include <array>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(ConfigText, CommentsAreNoFault) {
    Config config;
    const ConfigErrors errors =
        apply_config_text(config, "// one\n{ /* two */ \"cpu\": 70 // three\n}", "f");
    EXPECT_THAT(to_string(errors), IsEmpty());
    EXPECT_EQ(named(config.limits, "cpu").maximum, 70);
}

TEST(ConfigText, FaultsBeginWithTheFileAndTellThePlace) {
    struct Row {
        const char* what;
        std::string_view text, fault;
    };
    const std::array rows{
        Row{"a comma too many", "{\n  \"cpu\": 80,\n}",
            "f.json:3:1: syntax error while parsing object key"},
        Row{"a word without quotes", "{\"cpu\": eighty}", "f.json:1:9: "},
        Row{"cut off", "{\"cpu\": 80", "f.json:1:11: "},
        Row{"empty", "", "f.json:1:1: "},
        Row{"a comment left open", "{} /* x", "f.json:1:"},
        Row{"not UTF-8", "{\"cpu\": \"\xff\"}", "f.json:1:10: "},
        Row{"a number past a double", "{\"cpu\": 1e999}", "f.json: number overflow"},
        Row{"no object", "[1]", "f.json: must be one JSON object"},
        Row{"a value", "{\"cpu\": 101}", "f.json: /cpu: must be"},
        Row{"a key twice", "{\"cpu\": 80, \"cpu\": 70}", "f.json: /cpu: duplicate key"},
        Row{"a nested key twice", "{\"counts\": {\"hls\": [], \"hls\": []}}",
            "f.json: /counts/hls: duplicate key"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        Config config;
        const ConfigErrors errors = apply_config_text(config, row.text, "f.json");
        ASSERT_EQ(errors.size(), 1);
        EXPECT_THAT(to_string(errors), StartsWith(row.fault));
    }
}

TEST(ConfigText, TheSameKeyInTwoObjectsIsNotTwice) {
    Config config;
    const ConfigErrors errors = apply_config_text(
        config, R"({"counts": {"publishers": {"rtmp": []}, "subscribers": {"rtmp": []}}})", "f");
    EXPECT_THAT(to_string(errors), IsEmpty());
}

TEST(ConfigText, NestingAsDeepAsTheFileIsAFaultAndNoMore) {
    Config config;
    const std::string deep =
        "{\"cpu\": " + std::string(30'000, '[') + std::string(30'000, ']') + "}";
    EXPECT_THAT(to_string(apply_config_text(config, deep, "f")), HasSubstr("not an array"));
}

TEST(ConfigFile, WhatCannotBeReadSaysWhy) {
    const test::TemporaryFolder folder;
    const auto absent = read_config_file(folder.path() / "absent.json");
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().what, "cannot be read: No such file or directory");

    const auto directory = read_config_file(folder.path());
    ASSERT_FALSE(directory);
    EXPECT_EQ(directory.error().what, "cannot be read: Is a directory");

    const auto large =
        read_config_file(folder.write("large.json", std::string((64 << 10) + 1, ' ')));
    ASSERT_FALSE(large);
    EXPECT_THAT(large.error().what, HasSubstr("longer than 64 KiB"));

    const auto whole = read_config_file(folder.write("whole.json", std::string(64 << 10, ' ')));
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->size(), 64 << 10);
}

}  // namespace
}  // namespace wcs_node_agent
