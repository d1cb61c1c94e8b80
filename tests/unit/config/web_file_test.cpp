// SPDX-License-Identifier: Apache-2.0
#include "config/web_file.hpp"

#include <array>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const std::string hash = "$2y$10$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC";

TEST(WebFile, TakesWhatTheToolkitTakes) {
    const auto web = parse_web_file(R"(
tls_server_config:
  cert_file: node.pem
  key_file: /keys/node.key
  client_ca_file: ca.pem
  client_auth_type: "RequireAndVerifyClientCert"
  min_version: TLS13
  max_version: TLS13
  cipher_suites:
    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP256, X25519]
http_server_config:
  http2: false
  headers:
    X-Frame-Options: deny
basic_auth_users:
  prometheus: )" + hash + "\n",
                                    "/etc/web/web.yml");
    ASSERT_TRUE(web) << to_string(web.error());
    const auto& tls = web->tls.value();
    EXPECT_EQ(tls.cert_file, "/etc/web/node.pem") << "relative to the file";
    EXPECT_EQ(tls.key_file, "/keys/node.key");
    EXPECT_EQ(tls.client_ca_file, "/etc/web/ca.pem");
    EXPECT_EQ(tls.client_auth, ClientAuth::require_and_verify);
    EXPECT_EQ(tls.min_version, TLS1_3_VERSION);
    EXPECT_EQ(tls.max_version, TLS1_3_VERSION);
    EXPECT_EQ(tls.ciphers, "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256");
    EXPECT_EQ(tls.curves, "P-256:X25519");
    EXPECT_FALSE(tls.prefer_own_ciphers);
    EXPECT_THAT(web->headers, ElementsAre(Pair("X-Frame-Options", "deny")));
    EXPECT_THAT(web->users, ElementsAre(Pair("prometheus", hash)));
}

TEST(WebFile, NothingIsPlainHttpForEverybody) {
    for (const char* text : {"", "# nothing\n", "tls_server_config:\nbasic_auth_users: {}\n"}) {
        const auto web = parse_web_file(text, "web.yml");
        ASSERT_TRUE(web) << to_string(web.error());
        EXPECT_FALSE(web->tls);
        EXPECT_TRUE(web->users.empty());
    }
}

TEST(WebFile, ReportsEachErrorWithItsPlace) {
    struct Row {
        const char* shows;
        std::string text, error;
    };
    const std::string files = "tls_server_config:\n  cert_file: c\n  key_file: k\n  ";
    const std::string user = "basic_auth_users:\n  one: ";
    const std::array rows{
        Row{"no YAML", "a: [", "web.yml:1:1: "},
        Row{"no mapping", "- a\n", "web.yml:1:1: must be a mapping"},
        Row{"an unknown key", "tls_config: {}\n", "web.yml:1:1: /tls_config: unknown key"},
        Row{"a key twice", user + hash + "\n  one: " + hash,
            "web.yml:3:3: /basic_auth_users/one: duplicate key"},
        Row{"a misspelt key", files + "client_auth_typ: NoClientCert",
            "web.yml:4:3: /tls_server_config/client_auth_typ: unknown key; did you mean "
            "client_auth_type?"},
        Row{"a key of the toolkit's alone", files + "client_allowed_sans: [a]",
            "web.yml:4:3: /tls_server_config/client_allowed_sans: is not supported by this "
            "program: "},
        Row{"no certificate", "tls_server_config:\n  key_file: k\n", "needs a cert_file"},
        Row{"no key", "tls_server_config:\n  cert_file: k\n", "needs a key_file"},
        Row{"a word for a list", files + "cipher_suites: TLS_X",
            "/tls_server_config/cipher_suites: must be a list"},
        Row{"an unknown cipher", files + "cipher_suites: [TLS_X]",
            "/tls_server_config/cipher_suites/0: TLS_X: unknown here"},
        Row{"an unknown curve", files + "curve_preferences: [P1]",
            "/tls_server_config/curve_preferences/0: P1: unknown here"},
        Row{"an old protocol", files + "min_version: TLS10",
            "/tls_server_config/min_version: must be one of TLS12, TLS13"},
        Row{"versions that cross", files + "min_version: TLS13\n  max_version: TLS12",
            "min_version is higher than max_version"},
        Row{"no policy", files + "client_auth_type: yes",
            "/tls_server_config/client_auth_type: must be one of NoClientCert, "},
        Row{"clients to verify by nobody", files + "client_auth_type: RequireAndVerifyClientCert",
            "needs a client_ca_file"},
        Row{"an authority for nothing", files + "client_ca_file: ca", "no client_auth_type"},
        Row{"HTTP/2", "http_server_config:\n  http2: true\n",
            "web.yml:2:10: /http_server_config/http2: HTTP/2 is not served here"},
        Row{"a header of the server's own", "http_server_config:\n  headers: {Date: x}\n",
            "/http_server_config/headers/Date: must be one of "},
        Row{"a header of two lines",
            "http_server_config:\n  headers: {X-Frame-Options: \"a\\r\\nb: c\"}\n",
            "must be one line"},
        Row{"a password", user + "secret", "web.yml:2:8: /basic_auth_users/one: must be a bcrypt"},
        Row{"another kind of hash", user + "$6$abc$def", "must be a bcrypt hash"},
        Row{"a hash cut off", user + hash.substr(0, 59), "must be a bcrypt hash"},
        Row{"a hash that takes for ever", user + "$2y$31$" + hash.substr(7),
            "has the cost 31: from 4 to 16"},
        Row{"a colon in a name", "basic_auth_users:\n  \"a:b\": " + hash, "have a colon"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto web = parse_web_file(row.text, "web.yml");
        ASSERT_FALSE(web);
        EXPECT_THAT(to_string(web.error()), HasSubstr(row.error));
        EXPECT_EQ(web.error().size(), 1U) << to_string(web.error());
    }
}

TEST(WebFile, ReportsAllErrorsAtOnce) {
    const auto web = parse_web_file("a: 1\nb: 2\nbasic_auth_users: {c: d}\n", "web.yml");
    ASSERT_FALSE(web);
    EXPECT_EQ(web.error().size(), 3U);
}

}  // namespace
}  // namespace wcs_node_agent
