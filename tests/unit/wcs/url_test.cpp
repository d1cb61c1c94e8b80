// SPDX-License-Identifier: Apache-2.0
#include "wcs/url.hpp"

#include <wcs_node_agent/config.hpp>

#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::HasSubstr;

TEST(WcsUrl, Parts) {
    const struct {
        const char* text;
        const char* host;
        std::uint16_t port;
        const char* target;
        const char* host_header;
        bool tls = false;
    } rows[] = {
        {"http://127.0.0.1:8081/?action=stat", "127.0.0.1", 8081, "/?action=stat",
         "127.0.0.1:8081"},
        {"http://wcs", "wcs", 80, "/", "wcs"},
        {"http://wcs:/", "wcs", 80, "/", "wcs"},
        {"http://wcs:80/a/b?c=d&e", "wcs", 80, "/a/b?c=d&e", "wcs"},
        {"http://wcs?action=stat", "wcs", 80, "/?action=stat", "wcs"},
        {"HTTP://wcs:65535/#part", "wcs", 65535, "/", "wcs:65535"},
        {"http://[::1]:8081/", "::1", 8081, "/", "[::1]:8081"},
        {"http://[fd00::1]/", "fd00::1", 80, "/", "[fd00::1]"},
        {"http://wcs/?a=%20b", "wcs", 80, "/?a=%20b", "wcs"},
        {"http://wcs:443/", "wcs", 443, "/", "wcs:443"},
        {"https://wcs:8444/?action=stat", "wcs", 8444, "/?action=stat", "wcs:8444", true},
        {"HTTPS://wcs/", "wcs", 443, "/", "wcs", true},
        {"https://wcs:443/", "wcs", 443, "/", "wcs", true},
        {"https://wcs:80/", "wcs", 80, "/", "wcs:80", true},
        {"https://[::1]/", "::1", 443, "/", "[::1]", true},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.text);
        const auto url = parse_wcs_url(row.text);
        ASSERT_TRUE(url) << url.error().what;
        EXPECT_EQ(*url, (WcsUrl{row.text, row.host, row.port, row.target, row.tls}));
        EXPECT_EQ(url->host_header(), row.host_header);
    }
}

TEST(WcsUrl, Errors) {
    const struct {
        const char* text;
        const char* error;
    } rows[] = {
        {"", "is not a URL such as http://"},
        {"127.0.0.1:8081", "is not a URL such as http://"},
        {"http://wcs/a b", "is not a URL such as http://"},
        {"http://[::1/", "is not a URL such as http://"},
        {"http:///?action=stat", "names no host"},
        {"ftp://wcs/", "does not begin with http:// or https://"},
        {"localhost:8081/?action=stat", "does not begin with http:// or https://"},
        {"https://wcs:0/", "outside 1..65535"},
        {"http://me:secret@wcs/", "user name"},
        {"http://wcs:0/", "outside 1..65535"},
        {"http://wcs:65536/", "outside 1..65535"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.text);
        const auto url = parse_wcs_url(row.text);
        ASSERT_FALSE(url);
        EXPECT_THAT(url.error().what, HasSubstr(row.error));
    }
}

TEST(WcsUrl, TheDefaultIsWhatItsTextSays) {
    const Config defaults;
    EXPECT_EQ(parse_wcs_url(defaults.wcs_url.text).value(), defaults.wcs_url);
}

}  // namespace
}  // namespace wcs_node_agent
