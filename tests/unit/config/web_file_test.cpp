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
using testing::IsEmpty;
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
    EXPECT_THAT(web->users, ElementsAre(Pair("prometheus", "$2b" + hash.substr(3))));
    EXPECT_THAT(web->warnings, IsEmpty());
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
        Row{"no policy", files + "client_auth_type: yes",
            "/tls_server_config/client_auth_type: must be one of NoClientCert, "},
        Row{"an authority for nothing", files + "client_ca_file: ca", "no client_auth_type"},
        Row{"a header of the server's own", "http_server_config:\n  headers: {Date: x}\n",
            "/http_server_config/headers/Date: must be one of "},
        Row{"a password", user + "secret", "web.yml:2:8: /basic_auth_users/one: must be a bcrypt"},
        Row{"a value that a header has not",
            "http_server_config:\n  headers: {X-Frame-Options: no}\n",
            "/http_server_config/headers/X-Frame-Options: must be deny or sameorigin"},
        Row{"a version that there is not", files + "min_version: SSL30",
            "/tls_server_config/min_version: must be one of TLS10, TLS11, TLS12, TLS13"},
        Row{"a cipher that Go calls insecure", files + "cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]",
            "TLS_RSA_WITH_RC4_128_SHA: unknown here"},
        Row{"a string for a switch", "http_server_config:\n  http2: \"yes\"\n",
            "/http_server_config/http2: must be true or false"},
        Row{"a merge key without a mapping", "tls_server_config:\n  <<: x\n",
            "a merge key takes a mapping"},
        Row{"a mapping merged into itself", "basic_auth_users: &a\n  <<: *a\n",
            "too many merge keys"},
        Row{"other bytes than UTF-8", "# \xff\n", "web.yml: is not UTF-8"},
        Row{"a hash cut off", user + hash.substr(0, 58), "must be a bcrypt hash"},
        Row{"rounds that bcrypt has not", user + "$2y$32$" + hash.substr(7), "has the cost 32"},
        Row{"another kind of hash", user + "$6$abc$def", "must be a bcrypt hash"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto web = parse_web_file(row.text, "web.yml");
        ASSERT_FALSE(web);
        EXPECT_THAT(to_string(web.error()), HasSubstr(row.error));
        EXPECT_EQ(web.error().size(), 1U) << to_string(web.error());
    }
}

TEST(WebFile, WarnsOfWhatIsNotServed) {
    struct Row {
        std::string text, warning;
    };
    const std::string files = "tls_server_config:\n  cert_file: c\n  key_file: k\n  ";
    const std::string user = "basic_auth_users:\n  one: ";
    const std::array rows{
        Row{"http_server_config:\n  http2: true\n",
            "web.yml:2:10: /http_server_config/http2: HTTP/2 is not served here"},
        Row{"tls_server_config:\n  min_version: TLS13\n", "TLS is not served"},
        Row{files + "min_version: TLS10", "/tls_server_config/min_version: TLS before 1.2"},
        Row{files + "min_version: TLS13\n  max_version: TLS12", "no client can connect"},
        Row{files + "cipher_suites: [TLS_AES_256_GCM_SHA384]", "only 1.3 is served"},
        Row{files + "client_auth_type: VerifyClientCertIfGiven", "has no client_ca_file"},
        Row{files + "client_auth_type: RequireAndVerifyClientCert", "has no client_ca_file"},
        Row{"http_server_config:\n  headers: {X-XSS-Protection: \"a\\r\\nb: c\"}\n", "as spaces"},
        Row{user + hash.substr(0, 59), "no password has this hash"},
        Row{user + "$2y$17$" + hash.substr(7), "has the cost 17: no password is right"},
        Row{"basic_auth_users:\n  \"a:b\": " + hash, "with a colon"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.text);
        const auto web = parse_web_file(row.text, "web.yml");
        ASSERT_TRUE(web) << to_string(web.error());
        EXPECT_THAT(web->warnings, ElementsAre(HasSubstr(row.warning)));
    }
}

TEST(WebFile, WhatIsNotServedIsNeverLaxer) {
    const std::string files = "tls_server_config:\n  cert_file: c\n  key_file: k\n  ";
    const auto read = [](const std::string& text) { return *parse_web_file(text, "web.yml"); };
    const auto old = *read(files + "min_version: TLS10\n  max_version: TLS11\n").tls;
    EXPECT_EQ(old.min_version, TLS1_2_VERSION);
    EXPECT_EQ(old.max_version, TLS1_2_VERSION);
    const auto current = *read(files + "cipher_suites: [TLS_AES_256_GCM_SHA384]").tls;
    EXPECT_EQ(current.ciphers, "");
    EXPECT_EQ(current.ciphers_13, "TLS_AES_256_GCM_SHA384");
    EXPECT_EQ(current.min_version, TLS1_3_VERSION);
    const auto slow = read("basic_auth_users: {one: $2y$31$" + hash.substr(7) + "}\n");
    EXPECT_THAT(slow.users, ElementsAre(Pair("one", ""))) << "nobody's password, but one is needed";
    const auto split =
        read("http_server_config:\n  headers: {X-XSS-Protection: \"a\\r\\nb: c\"}\n");
    EXPECT_THAT(split.headers, ElementsAre(Pair("X-XSS-Protection", "a  b: c")));
}

TEST(WebFile, ReadsHashesAsGoDoes) {
    for (const std::string& text :
         {"$2a" + hash.substr(3), "$2x" + hash.substr(3), "$2" + hash.substr(3), hash + "more",
          "|\n    " + hash + "\n", "!!str " + hash}) {
        SCOPED_TRACE(text);
        const auto web = parse_web_file("basic_auth_users:\n  one: " + text + "\n", "web.yml");
        ASSERT_TRUE(web) << to_string(web.error());
        EXPECT_THAT(web->users, ElementsAre(Pair("one", "$2b" + hash.substr(3))));
        EXPECT_THAT(web->warnings, IsEmpty());
    }
}

TEST(WebFile, MergesAsGoDoes) {
    const auto web = parse_web_file(R"(
tls_server_config: &tls
  <<: [{cert_file: first}, {cert_file: second, key_file: second}]
  key_file: own
basic_auth_users: {~: )" + hash + "}\n",
                                    "web.yml");
    ASSERT_TRUE(web) << to_string(web.error());
    EXPECT_EQ(web->tls->cert_file, "first");
    EXPECT_EQ(web->tls->key_file, "own");
    EXPECT_TRUE(web->users.contains("")) << "null is the empty name";
}

TEST(WebFile, ReportsAllErrorsAtOnce) {
    const auto web = parse_web_file("a: 1\nb: 2\nbasic_auth_users: {c: d}\n", "web.yml");
    ASSERT_FALSE(web);
    EXPECT_EQ(web.error().size(), 3U);
}

}  // namespace
}  // namespace wcs_node_agent
