// SPDX-License-Identifier: Apache-2.0
#include "control/word_file.hpp"

#include "temporary_folder.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;

KeptWord drained() {
    return {{Word::drain, "root", system_clock::time_point(1'700'000'000s)},
            {{"", boost::asio::ip::make_address("192.0.2.10")},
             {"publish", boost::asio::ip::make_address("2001:db8::1"),
              system_clock::time_point(1'700'000'007s)}}};
}

TEST(WordFile, WhatIsWrittenIsReadBack) {
    const TemporaryFolder folder;
    const auto file = folder.path() / "state" / "operator.json";
    for (const auto& kept : {drained(), KeptWord{}}) {
        const auto done = write_file(file, to_text(kept));
        ASSERT_TRUE(done) << done.error().what;
        const auto read = read_kept_word(file);
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(*read, kept);
    }
    EXPECT_FALSE(std::filesystem::exists(file.native() + ".new"));
    const auto mode = std::filesystem::status(file).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(WordFile, WithoutAFileNobodyHasSaidAWord) {
    const TemporaryFolder folder;
    const auto read = read_kept_word(folder.path() / "operator.json");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, KeptWord{});
}

TEST(WordFile, AnythingElseIsAnError) {
    const std::vector<std::pair<const char*, std::string>> rows{
        {"empty", ""},
        {"cut short", to_text(drained()).substr(0, 60)},
        {"no object", "[]"},
        {"without the balancers", R"({"word": "drain", "by": "root", "since": 5})"},
        {"another word", R"({"word": "halt", "by": "root", "since": 5, "balancers": []})"},
        {"nobody's drain", R"({"word": "drain", "by": "", "since": 5, "balancers": []})"},
        {"a name with a line end",
         R"({"word": "drain", "by": "a\nb", "since": 5, "balancers": []})"},
        {"a long name", R"({"word": "drain", "by": ")" + std::string(65, 'x') +
                            R"(", "since": 5, "balancers": []})"},
        {"before any time", R"({"word": "drain", "by": "root", "since": -1, "balancers": []})"},
        {"after any time", R"({"word": "drain", "by": "root", "since": 1e300, "balancers": []})"},
        {"a balancer without an address",
         R"({"word": "drain", "by": "root", "since": 5, "balancers": [{"profile": ""}]})"},
        {"a name for an address",
         R"({"word": "ready", "by": "a", "since": 5, "balancers": [{"address": "lb", "profile": ""}]})"},
        {"a moment that is none",
         R"({"word": "ready", "by": "a", "since": 5,
             "balancers": [{"address": "::1", "profile": "", "ready_since": "now"}]})"},
    };
    for (const auto& [shows, text] : rows) EXPECT_FALSE(parse_kept_word(text)) << shows;
}

TEST(WordFile, MoreBalancersThanThereMayBeAreAnError) {
    KeptWord kept = drained();
    kept.balancers.assign(ToldBalancers::most, kept.balancers.front());
    EXPECT_TRUE(parse_kept_word(to_text(kept)));
    kept.balancers.push_back(kept.balancers.front());
    EXPECT_FALSE(parse_kept_word(to_text(kept)));
}

TEST(WordFile, WhatCannotBeWrittenLeavesTheOldOne) {
    const TemporaryFolder folder;
    const auto file = folder.path() / "operator.json";
    ASSERT_TRUE(write_file(file, to_text(drained())));
    std::filesystem::create_directory(file.native() + ".new");
    EXPECT_FALSE(write_file(file, "other"));
    EXPECT_EQ(*read_kept_word(file), drained());
}

}  // namespace
}  // namespace wcs_node_agent::test
