// SPDX-License-Identifier: Apache-2.0
#include "config/value_text.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ParseNumber, TakesTheWholeTextOrNothing) {
    struct Row {
        std::string_view text;
        std::optional<double> value;
    };
    const std::array rows{
        Row{"100", 100},
        Row{"0.95", 0.95},
        Row{"-1", -1},
        Row{"1e3", 1000},
        Row{"", std::nullopt},
        Row{"12x", std::nullopt},
        Row{" 12", std::nullopt},
        Row{"nan", std::nullopt},
        Row{"inf", std::nullopt},
        Row{"1,5", std::nullopt},
        Row{"0x10", std::nullopt},
        Row{"1e999", std::nullopt},
        Row{{"1\0", 2}, std::nullopt},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.text);
        EXPECT_EQ(parse_number(row.text), row.value);
    }
}

TEST(ParsePercent, NeedsItsSign) {
    struct Row {
        std::string_view text;
        std::optional<double> value;
    };
    const std::array rows{
        Row{"80%", 80},          Row{"12.5%", 12.5},        Row{"0%", 0},
        Row{"-1%", -1},          Row{"80", std::nullopt},   Row{"%", std::nullopt},
        Row{"", std::nullopt},   Row{"80 %", std::nullopt}, Row{"80%%", std::nullopt},
        Row{"x%", std::nullopt}, Row{"inf%", std::nullopt},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.text);
        EXPECT_EQ(parse_percent(row.text), row.value);
        if (row.value) {
            EXPECT_EQ(percent_text(*row.value), row.text);
        }
    }
}

TEST(ParseDuration, NeedsItsUnit) {
    struct Row {
        std::string_view text;
        std::optional<nanoseconds> value;
    };
    const std::array rows{
        Row{"250ms", 250ms},       Row{"2s", 2s},
        Row{"1m", 1min},           Row{"24h", 24h},
        Row{"1.5s", 1500ms},       Row{"10us", 10us},
        Row{"7ns", 7ns},           Row{"0s", 0s},
        Row{"2", std::nullopt},    Row{"s", std::nullopt},
        Row{"", std::nullopt},     Row{"-2s", std::nullopt},
        Row{"2 s", std::nullopt},  Row{"2sec", std::nullopt},
        Row{"2S", std::nullopt},   Row{"1.2.3s", std::nullopt},
        Row{"1e3s", std::nullopt}, Row{"99999999999999999999h", std::nullopt},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.text);
        EXPECT_EQ(parse_duration(row.text), row.value);
    }
}

TEST(ParseSize, TakesBytesOrBinaryUnits) {
    struct Row {
        std::string_view text;
        std::optional<std::size_t> value;
    };
    const std::array rows{
        Row{"4096", 4096},
        Row{"100B", 100},
        Row{"2KiB", 2048},
        Row{"16MiB", 16 << 20},
        Row{"1GiB", 1 << 30},
        Row{"1.5MiB", 3 << 19},
        Row{"", std::nullopt},
        Row{"16MB", std::nullopt},
        Row{"-1", std::nullopt},
        Row{"1.5", std::nullopt},
        Row{"9999999GiB", std::nullopt},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.text);
        EXPECT_EQ(parse_size(row.text), row.value);
    }
}

TEST(DurationText, UsesTheLargestUnitWithoutAFraction) {
    EXPECT_EQ(duration_text(250ms), "250ms");
    EXPECT_EQ(duration_text(2s), "2s");
    EXPECT_EQ(duration_text(90s), "90s");
    EXPECT_EQ(duration_text(60s), "1m");
    EXPECT_EQ(duration_text(24h), "24h");
    EXPECT_EQ(duration_text(10500us), "10500us");
    EXPECT_EQ(duration_text(0s), "0ns");
}

TEST(SizeText, UsesTheLargestUnitWithoutAFraction) {
    EXPECT_EQ(size_text(16 << 20), "16MiB");
    EXPECT_EQ(size_text(1000), "1000B");
    EXPECT_EQ(size_text(3 << 19), "1536KiB");
}

TEST(ParseEndpoint, GivesBackWhatItTook) {
    for (const std::string text : {"127.0.0.1:9707", "0.0.0.0:0", "[::]:9707", "[fd00::1]:65535"}) {
        SCOPED_TRACE(text);
        const auto endpoint = parse_endpoint(text);
        ASSERT_TRUE(endpoint) << endpoint.error().what;
        EXPECT_EQ(endpoint_text(*endpoint), text);
    }
}

TEST(ParseEndpoint, TellsWhatIsWrong) {
    struct Row {
        std::string_view text, error;
    };
    const std::array rows{
        Row{"127.0.0.1", "must be ADDR:PORT"},
        Row{"", "must be ADDR:PORT"},
        Row{"localhost:9707", "must be ADDR:PORT"},
        Row{"1.2.3:9707", "must be ADDR:PORT"},
        Row{"[1.2.3.4]:9707", "must be ADDR:PORT"},
        Row{"[]:9707", "must be ADDR:PORT"},
        Row{"[:9707", "must be ADDR:PORT"},
        Row{"127.0.0.1:65536", "a port from 0 to 65535, not \"65536\""},
        Row{"127.0.0.1:", "a port from 0 to 65535, not \"\""},
        Row{"127.0.0.1:-1", "a port from 0 to 65535"},
        Row{"127.0.0.1:97x", "a port from 0 to 65535"},
        Row{":9707", "write \"0.0.0.0:9707\", \"[::]:9707\" or both"},
        Row{"::1:9707", "in brackets, as in \"[::1]:9707\""},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.text);
        const auto endpoint = parse_endpoint(row.text);
        ASSERT_FALSE(endpoint);
        EXPECT_THAT(endpoint.error().what, HasSubstr(row.error));
    }
}

TEST(AddNetwork, GivesBackWhatItTook) {
    AllowList list;
    for (const std::string_view text :
         {"10.0.0.0/8", "192.0.2.7", "198.51.100.1/32", "0.0.0.0/0", "fd00::/8", "::1", "::/0"}) {
        SCOPED_TRACE(text);
        const auto added = add_network(list, text);
        EXPECT_TRUE(added) << added.error().what;
    }
    EXPECT_THAT(network_texts(list), ElementsAre("10.0.0.0/8", "192.0.2.7", "198.51.100.1",
                                                 "0.0.0.0/0", "fd00::/8", "::1", "::/0"));
}

TEST(AddNetwork, TellsWhatIsWrong) {
    struct Row {
        std::string_view text, error;
    };
    const std::array rows{
        Row{"", "must be a network"},
        Row{"loopback", "must be a network"},
        Row{"10.0.0/8", "must be a network"},
        Row{"fe80::1%eth0", "must be a network"},
        Row{"10.0.0.0/33", "a prefix length from 0 to 32, not \"33\""},
        Row{"10.0.0.0/", "a prefix length from 0 to 32, not \"\""},
        Row{"10.0.0.0/-1", "a prefix length from 0 to 32"},
        Row{"10.0.0.0/255.0.0.0", "a prefix length from 0 to 32"},
        Row{"fd00::/129", "a prefix length from 0 to 128"},
        Row{"10.1.2.3/8", "bits set past its prefix: write \"10.0.0.0/8\""},
        Row{"fd00::1/64", "bits set past its prefix: write \"fd00::/64\""},
        Row{"::ffff:10.0.0.0/104", "an IPv4 network in IPv6 form: write \"10.0.0.0/8\""},
        Row{"::ffff:10.0.0.1", "an IPv4 network in IPv6 form: write \"10.0.0.1/32\""},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.text);
        AllowList list;
        const auto added = add_network(list, row.text);
        ASSERT_FALSE(added);
        EXPECT_THAT(added.error().what, HasSubstr(row.error));
        EXPECT_EQ(list, AllowList()) << "a faulty network must not be let in";
    }
}

}  // namespace
}  // namespace wcs_node_agent
