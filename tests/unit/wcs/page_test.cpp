// SPDX-License-Identifier: Apache-2.0
#include "wcs/page.hpp"

#include "page_reading.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using test::no_names;
using test::parse;
using test::parsed;
using test::sample;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

StreamCounts counts(std::array<std::optional<double>, 3> publishers,
                    std::array<std::optional<double>, 3> subscribers, std::optional<double> hls,
                    std::string missing) {
    return {publishers, subscribers, hls, std::move(missing)};
}

/// The counts alone; Counts.WhatIsKnownOfASum is about their parts.
StreamCounts whole_counts(const WcsPage& page, const CountNames& names) {
    auto counts = count_streams(page, names);
    counts.publishers_at_least = counts.subscribers_at_least = counts.hls_at_least = {};
    return counts;
}

TEST(Samples, GiveTheirCounts) {
    const struct {
        const char* file;
        std::size_t numbers;
        std::size_t texts;
        StreamCounts counts;
    } rows[] = {
        {"node1.txt", 26, 2, counts({1, 0, 0}, {0, 0, 0}, 0, "")},
        {"node2.txt", 26, 2, counts({1, 0, 0}, {0, 0, 0}, 0, "")},
        {"busy-node.txt", 35, 2, counts({38, 6, 3}, {311, 12, 2}, 17, "")},
        {"damaged-underscores.txt", 26, 2,
         counts({1, 0, 0}, {std::nullopt, 0, 0}, 0, "streams_webrtc_out")},
        {"legacy-flat.txt", 12, 1,
         counts({std::nullopt, std::nullopt, std::nullopt},
                {std::nullopt, std::nullopt, std::nullopt}, std::nullopt, "streams_webrtc_in")},
        {"node1.json", 13, 2, counts({1, 0, 0}, {0, 0, 0}, 0, "")},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.file);
        const auto page = parsed(sample(row.file));
        EXPECT_THAT(page.numbers, SizeIs(row.numbers));
        EXPECT_THAT(page.texts, SizeIs(row.texts));
        EXPECT_EQ(page.left_out, 0U);
        EXPECT_EQ(whole_counts(page, CountNames{}), row.counts);
    }
}

TEST(Samples, JsonHasTheNamesOfTheText) {
    const auto json = parsed(sample("node1.json"));
    const auto text = parsed(sample("node1.txt"));
    for (const auto& [name, number] : json.numbers) {
        ASSERT_TRUE(text.numbers.contains(name)) << name;
        EXPECT_EQ(number, text.numbers.at(name)) << name;
    }
    EXPECT_EQ(json.texts, text.texts);
}

TEST(Bound, EntriesPastItAreCounted) {
    const auto page = parse_page("a=5\nb=x\nc=3\nd=y\na=5\n", Ending::known, 2, no_names()).value();
    EXPECT_THAT(page.numbers, ElementsAre(Pair("a", 5)));
    EXPECT_THAT(page.texts, ElementsAre(Pair("b", "x")));
    EXPECT_EQ(page.left_out, 2U);
}

TEST(Bound, NeverTakesTheNamesOfCounts) {
    const auto page = parsed(sample("busy-node.txt"), 0);
    EXPECT_THAT(page.numbers, SizeIs(7));
    EXPECT_EQ(page.left_out, 30U);
    EXPECT_EQ(whole_counts(page, CountNames{}), counts({38, 6, 3}, {311, 12, 2}, 17, ""));
}

TEST(Bound, NorWhatLimitsNeed) {
    const auto page = parse_page(sample("busy-node.txt"), Ending::known, 0, no_names(),
                                 {"core_threads", "ports_media_busy", "no_such_name"})
                          .value();
    EXPECT_THAT(page.numbers,
                ElementsAre(Pair("core_threads", 214), Pair("ports_media_busy", 441)));
}

TEST(Bound, OfOneEntry) {
    const std::string zeros(4095, '0');  // one byte less than a value may have
    const std::string digits(4095, '1');
    const std::string spaces(5000, ' ');
    const struct {
        const char* shows;
        std::string body;
        std::size_t kept;
        std::size_t left_out;
    } rows[] = {
        {"a value of 4 KiB", "a=0" + zeros + "\nb=1", 2, 0},
        {"a longer value", "a=00" + zeros + "\nb=1", 1, 1},
        {"a longer value at the end", "b=1\na=00" + zeros, 1, 1},
        {"a name of that length", std::string(5000, 'a') + "=1\nb=1", 1, 0},
        {"a header of that length", "-a=00" + zeros + "\nb=1", 1, 0},
        {"white space of that length", "b=1\n" + spaces + "\n\n", 1, 0},
        {"white space is not part of a value", "b=1\n" + spaces + "a=" + spaces + "1\n", 2, 0},
        {"a duplicate name that has a value too long", "a=1\na=00" + zeros + "\nb=1", 2, 1},
        {"a JSON string of 4 KiB", "{\"a\":\"0" + zeros + "\",\"b\":1}", 2, 0},
        {"a longer JSON string", "{\"a\":\"00" + zeros + "\",\"b\":1}", 1, 1},
        {"escapes count as what they are", "{\"a\":\"\\u0030" + zeros + "\",\"b\":1}", 2, 0},
        {"a JSON number of 4 KiB", "{\"a\":0." + digits.substr(1) + ",\"b\":1}", 2, 0},
        {"a longer JSON number", "{\"a\":0." + digits + ",\"b\":1}", 1, 1},
        {"a JSON name of that length", "{\"" + digits + "\":1,\"b\":1}", 1, 0},
        {"what is in an array", "{\"a\":[\"00" + zeros + "\",0." + digits + "],\"b\":1}", 1, 1},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto page = parsed(row.body);
        EXPECT_EQ(page.numbers.size(), row.kept);
        EXPECT_TRUE(page.numbers.contains("b"));
        EXPECT_THAT(page.texts, IsEmpty());
        EXPECT_EQ(page.left_out, row.left_out);
    }
}

TEST(Bound, HoldsOnAHugePage) {
    std::string body;
    for (int line = 0; line < 100'000; ++line) {
        body += "padding_of_some_length_so_that_a_page_of_ten_megabytes_comes_together_from_it_" +
                std::to_string(line) + "=" + std::to_string(line) + "\n";
    }
    body += sample("busy-node.txt");
    const auto page = parsed(body, 256);
    EXPECT_THAT(page.numbers, SizeIs(256 + 7));
    EXPECT_EQ(page.left_out, 100'000U + 37 - 256 - 7);
    EXPECT_EQ(whole_counts(page, CountNames{}).hls, 17);
}

TEST(NoPage, SaysWhatItIsInstead) {
    const struct {
        const char* shows;
        std::string body;
        const char* error;
    } rows[] = {
        {"nothing", "", "empty"},
        {"white space", " \r\n\t\n", "empty"},
        {"a byte order mark alone", "\xEF\xBB\xBF", "empty"},
        {"a byte order mark cut short", "\xEF\xBB", "not a single key=value line"},
        {"a byte order mark and HTML", "\xEF\xBB\xBF <!DOCTYPE html>", "an HTML page"},
        {"HTML", "\n<html><a href=\"x\">", "an HTML page"},
        {"binary", std::string("\x01\0=\x02", 4), "binary data"},
        {"binary that has a name in it", std::string("\0\na=1\n\0\n", 8), "binary data"},
        {"text in UTF-16", std::string("a\0=\0001\0\n\0b\0=\0001\0\n\0", 16), "binary data"},
        {"prose", "It works!\n", "not a single key=value line"},
        {"headers alone", "-----Stats-----\n", "not a single key=value line"},
        {"names that are none", "\xff=\n=1\n", "not a single key=value line"},
        {"JSON cut off after a value", R"({"g":{"a":1)", "JSON that is cut off after 11 bytes"},
        {"JSON cut off in a string", R"({"g":{"a":"x)", "JSON that is cut off after 12 bytes"},
        {"JSON cut off in an escape", R"({"g":{"a":"\)", "JSON that is cut off after 12 bytes"},
        {"JSON cut off in a \\u", R"({"g":{"a":"\u00)", "JSON that is cut off after 15 bytes"},
        {"JSON cut off in a name", R"({"g":{"a)", "JSON that is cut off after 8 bytes"},
        {"JSON cut off after a name", R"({"g":{"a":)", "JSON that is cut off after 10 bytes"},
        {"JSON cut off in an array", R"({"a":1,"b":[)", "JSON that is cut off after 12 bytes"},
        {"JSON cut off before its last brace", R"({"a":{"b":1})", "JSON that is cut off"},
        {"JSON with rubbish after it", R"({"g":{"a":1}} x)",
         "not JSON: more after its end, at byte 15"},
        {"JSON without values", R"({"g":{},"n":null,"l":[1]})", "JSON without a single value"},
        {"braces around something else", "{ It works! }", "JSON without a single value"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto page = parse(row.body, Ending::unknown);
        ASSERT_FALSE(page);
        EXPECT_THAT(page.error().what, HasSubstr(row.error));
    }
}

TEST(NoPage, DeepNestingIsNoDanger) {
    for (const std::string open : {"[", "{\"a\":"}) {
        SCOPED_TRACE(open);
        std::string body = "{\"a\":";
        for (int level = 0; level < 200'000; ++level) {
            body += open;
        }
        const auto page = parse(body);
        ASSERT_FALSE(page);
        EXPECT_THAT(page.error().what, HasSubstr("JSON that is cut off"));
    }
}

/// A name that is there more than once, in each order of its entries and in both forms.
TEST(Duplicates, CountIfTheyAreEqual) {
    const struct {
        const char* shows;
        std::vector<std::string> entries;  // of `a`
        std::optional<double> number;
        std::optional<double> disputed;
    } rows[] = {
        {"equal numbers", {"1", "1"}, 1, {}},
        {"equal numbers, written in two ways", {"1", "1.0", "01e0"}, 1, {}},
        {"different numbers", {"60", "5"}, {}, 5},
        {"three of them", {"60", "5", "60"}, {}, 5},
        {"a number and a text", {"1", "x"}, 1, {}},
        {"a number and texts", {"x", "1", "y"}, 1, {}},
    };
    for (const auto& row : rows) {
        auto entries = row.entries;
        std::ranges::sort(entries);
        do {
            SCOPED_TRACE(row.shows);
            std::string text;
            std::string groups;
            for (const auto& entry : entries) {
                text += "a=" + entry + "\n";
                groups += ",\"g\":{\"a\":\"" + entry + "\"}";
            }
            for (const auto& page : {parsed("b=7\n" + text), parsed("{\"b\":7" + groups + "}")}) {
                EXPECT_EQ(page.numbers.size(), row.number ? 2U : 1U);
                EXPECT_EQ(
                    page.numbers.contains("a") ? std::optional(page.numbers.at("a")) : std::nullopt,
                    row.number);
                EXPECT_EQ(page.disputed.contains("a") ? std::optional(page.disputed.at("a"))
                                                      : std::nullopt,
                          row.disputed);
                EXPECT_THAT(page.texts, IsEmpty());
            }
        } while (std::ranges::next_permutation(entries).found);
    }
}

TEST(Duplicates, OfTextsToo) {
    const auto page = parsed("a=x\nb=x\na=x\nb=y\n");
    EXPECT_THAT(page.texts, ElementsAre(Pair("a", "x")));
}

TEST(Duplicates, ThatDifferAreNoCount) {
    const auto page = parsed("streams_hls=500\nstreams_hls=60\n");
    const auto counted = count_streams(page, CountNames{});
    EXPECT_EQ(counted.hls, std::nullopt);
    EXPECT_EQ(counted.hls_at_least, 60) << "one of both is true";
    EXPECT_EQ(page.left_out, 1U);
}

/// Whoever publishes chooses a stream's name, and the page has it as it is.
TEST(NamesOfStreams, ChangeNoCount) {
    const std::string names[] = {
        "test",
        "",
        "streams_webrtc_out",
        "streams_webrtc_out=0",
        "x\nstreams_webrtc_out=0\ny",
        "x\nstreams_webrtc_out=5000\ny",
        "x\nstreams_rtsp_out=5000\ny",
        "x\r\nstreams_rtsp_out=5000\r\n-----Core Stats-----\r\nstreams_hls=99\r\n",
        "x\nstreams_hls=99",
        "x\nstreams_hls=\xff\nstreams_hls=\n=\nstreams_hls",
        "x\nstreams_webrtc_out=" + std::string(5000, '9') + "\ny",
        "0\nstreams_webrtc_out=0\nstreams_rtsp_out=0\n0",
        "0\nstreams_webrtc_out=0\n-----\nstreams_rtsp_out=0\n-",
        "x\nstreams_viewers=1\nstreams_hls=99\nstreams_synchronization=1\nstreams_hls=99\n",
        std::string("\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n"
                    "\0\n\0\n\0\n\0\n\0\n",
                    48),
        "\n<html>\n{\n}\n\xEF\xBB\xBF\n",
        "x\",\"streams_webrtc_out\":\"0",
        "x\",\"streams_webrtc_out\":0,\"y\":\"",
        "x\",\"streams_rtsp_out\":5000,\"y\":\"",
        "0\",\"streams_webrtc_out\":\"5000\",\"y\":\"",
        "x\",\"streams_webrtc_out\":NaN,\"y\":[\"",
        "x\"}}",
        "x\"}},{\"streams_hls\":99}{",
        "\"streams_hls\":99",
        "party \\ud83d",
        "\\",
    };
    const std::string viewers = "streams_viewers=test/0\nstreams_synchronization=test/-37\n";
    auto text = sample("busy-node.txt");
    const auto expected = whole_counts(parsed(text), CountNames{});
    ASSERT_NE(text.find(viewers), std::string::npos);
    const auto text_before = text.substr(0, text.find(viewers));
    const auto text_after = text.substr(text_before.size() + viewers.size());
    const std::string json_before =
        R"({"streams_stats":{"streams_webrtc_in":"38","streams_webrtc_out":311,"streams_rtmp_in":6,)"
        R"("streams_rtmp_out":12,"streams_hls":17,"streams_viewers":")";
    const std::string json_after =
        R"("stats_size":0,"streams_rtsp_in":"3","streams_rtsp_out":"2"},"core_stats":{"core_threads":"214"}})";
    for (const auto& name : names) {
        SCOPED_TRACE(name);
        const auto text_page =
            parsed(text_before + "streams_viewers=" + name + "/0\nstreams_synchronization=" + name +
                   "/-37\n" + text_after);
        EXPECT_EQ(whole_counts(text_page, CountNames{}), expected) << "text";
        const auto json_page = parsed(json_before + name + "/0\",\"streams_synchronization\":\"" +
                                      name + "/-37\"," + json_after);
        auto json_counts = whole_counts(json_page, CountNames{});
        if (name.find_first_of("[{") != std::string::npos && !json_counts.missing.empty()) {
            json_counts.missing.clear();  // what is behind an open bracket is lost, and not changed
            json_counts.publishers[2] = expected.publishers[2];
            json_counts.subscribers[2] = expected.subscribers[2];
        }
        EXPECT_EQ(json_counts, expected) << "JSON that nobody escaped";
    }
}

TEST(Ending, AnUnfinishedLastLineIsNone) {
    for (const std::string body :
         {"a=1\nb=9", "a=1\nb=95\r", "a=1\nb=", "a=1\nb", "a=1\nb=x ", "a=1\n-b=9"}) {
        SCOPED_TRACE(body);
        const auto page = parse(body, Ending::unknown);
        ASSERT_TRUE(page);
        EXPECT_THAT(page->numbers, ElementsAre(Pair("a", 1)));
        EXPECT_THAT(page->texts, IsEmpty());
        EXPECT_EQ(page->left_out, 1U);
    }
    for (const std::string end : {"\n", "\r\n", "\n\n", "\n \n"}) {
        EXPECT_THAT(parse("a=1\nb=9" + end, Ending::unknown).value().numbers,
                    ElementsAre(Pair("a", 1), Pair("b", 9)));
    }
    EXPECT_THAT(parsed("a=1\nb=9").numbers, ElementsAre(Pair("a", 1), Pair("b", 9)));
    EXPECT_FALSE(parse("a=1", Ending::unknown));
    EXPECT_TRUE(parse(R"({"a":1})", Ending::unknown));
}

TEST(Counts, SeveralNamesAreAddedUp) {
    CountNames names;
    names.subscribers[0] = {"streams_webrtc_out", "streams_websocket_out"};
    names.hls = {"streams_hls", "connections_hls"};
    const auto page = parsed(sample("busy-node.txt"));
    EXPECT_EQ(whole_counts(page, names), counts({38, 6, 3}, {318, 12, 2}, 46, ""));
}

TEST(Counts, WithoutNamesIsNone) {
    EXPECT_EQ(whole_counts(WcsPage{}, no_names()), counts({0, 0, 0}, {0, 0, 0}, 0, ""));
}

TEST(Counts, WhatCannotBeACountIsUnknown) {
    for (const std::string value : {"-1", "1000000001", "many", ""}) {
        SCOPED_TRACE(value);
        CountNames names = no_names();
        names.hls = {"here", "wrong"};
        const auto counted = whole_counts(parsed("here=1000000000\nwrong=" + value + "\n"), names);
        EXPECT_EQ(counted, counts({0, 0, 0}, {0, 0, 0}, std::nullopt, "wrong"));
    }
}

TEST(Counts, WhatIsKnownOfASum) {
    CountNames names;
    names.hls = {"here", "there"};
    const auto counted = count_streams(
        parsed("streams_webrtc_out=500\nstreams_rtmp_out=-1\nhere=7\nthere=many\n"), names);
    EXPECT_EQ(counted.publishers_at_least, std::nullopt) << "not one of them is known";
    EXPECT_EQ(counted.subscribers_at_least, 500);
    EXPECT_EQ(counted.hls_at_least, 7);
    EXPECT_EQ(counted.hls, std::nullopt);
}

TEST(Counts, TheFirstMissingNameIsReported) {
    CountNames names;
    names.publishers[1] = {"first", "second"};
    names.hls = {"third"};
    const auto counted = whole_counts(parsed(sample("busy-node.txt")), names);
    EXPECT_EQ(counted, counts({38, std::nullopt, 3}, {311, 12, 2}, std::nullopt, "first"));
}

}  // namespace
}  // namespace wcs_node_agent
