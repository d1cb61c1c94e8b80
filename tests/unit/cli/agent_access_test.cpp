// SPDX-License-Identifier: Apache-2.0
#include "cli/agent_access.hpp"

#include "temporary_folder.hpp"

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AgentAccessTest : public testing::Test {
 protected:
    AgentAccessTest() { ::unsetenv("WCS_NODE_AGENT_PASSWORD"); }
    ~AgentAccessTest() override { ::unsetenv("WCS_NODE_AGENT_PASSWORD"); }

    std::string write(const std::string& name, const std::string& text) const {
        return folder_.write(name, text).string();
    }

    std::string error(const AskedAgent& asked = {}) const {
        const auto access = agent_access(config_, asked);
        return access ? "no error" : access.error().what;
    }

    test::TemporaryFolder folder_;
    Config config_;
};

TEST_F(AgentAccessTest, AUrlIsTheRootOfWhatIsAsked) {
    const std::vector<std::pair<std::string, std::string>> rows{
        {"http://node1:9708", "node1:9708 "},
        {"http://node1:9708/", "node1:9708 "},
        {"https://node1.example.com", "node1.example.com "},
        {"https://[fd00::1]:9708/wcs/agent/", "[fd00::1]:9708 /wcs/agent"},
    };
    for (const auto& [url, expected] : rows) {
        SCOPED_TRACE(url);
        const auto access = agent_access(config_, {.url = url});
        ASSERT_TRUE(access) << access.error().what;
        EXPECT_EQ(access->url.host_header() + ' ' + access->url.target, expected);
        EXPECT_EQ(access->url.tls, url.starts_with("https"));
        EXPECT_FALSE(access->is_own);
        EXPECT_FALSE(access->trust.takes_any_name());
    }
    for (const char* wrong : {"node1:9708", "ftp://node1", "http://", "https://node1/?action=stat",
                              "http://me@node1:9708"})
        EXPECT_THAT(error({.url = wrong}), HasSubstr("--url: '" + std::string(wrong) + "' "));
    EXPECT_THAT(error({.url = "node1"}), Not(HasSubstr("action=stat")));
}

TEST_F(AgentAccessTest, ThePasswordIsTheFirstLineOfItsFileOrTheVariable) {
    config_.client.username = "me";
    config_.client.password_file = write("password", "a:b c\r\nmore\n");
    EXPECT_EQ(agent_access(config_, {})->asker.authorization, "Basic bWU6YTpiIGM=");
    ::setenv("WCS_NODE_AGENT_PASSWORD", "other", 1);
    EXPECT_EQ(agent_access(config_, {})->asker.authorization, "Basic bWU6b3RoZXI=");
    config_.client.username.clear();
    config_.client.password_file.clear();
    EXPECT_EQ(agent_access(config_, {})->asker.authorization, "");
}

TEST_F(AgentAccessTest, WhatIsMissingIsNamed) {
    config_.client.username = "me";
    EXPECT_THAT(error(), AllOf(HasSubstr("user me has no password"), HasSubstr("--password-file"),
                               HasSubstr("$WCS_NODE_AGENT_PASSWORD")));
    config_.client.password_file = "/nowhere";
    EXPECT_EQ(error(), "--password-file /nowhere cannot be read: No such file or directory\n");
    config_.client.username.clear();
    EXPECT_THAT(error(), HasSubstr("--username"));

    config_.client = {};
    EXPECT_EQ(error({.url = "https://node1", .ca_file = "/nowhere"}),
              "--ca-file /nowhere cannot be read: No such file or directory\n");
    EXPECT_EQ(error({.url = "https://node1", .ca_file = write("empty", "")}),
              "--ca-file " + (folder_.path() / "empty").string() + " has no certificate (PEM)\n");
    config_.client.cert_file = "/nowhere";
    EXPECT_THAT(error({.url = "https://node1"}), HasSubstr("--cert-file /nowhere: "));
    EXPECT_EQ(error({.url = "http://node1"}), "no error") << "plain HTTP shows none";
}

TEST_F(AgentAccessTest, TheWebFileSaysHowTheConfiguredAgentIsAsked) {
    config_.web_config_file = write("users.yml", "basic_auth_users: {}\n");
    EXPECT_FALSE(agent_access(config_, {})->url.tls);

    config_.web_config_file = "/nowhere/web.yml";
    EXPECT_THAT(error(), AllOf(HasSubstr("/nowhere/web.yml: cannot be read: No such file"),
                               HasSubstr("--url https://127.0.0.1:9708")));
    EXPECT_EQ(error({.url = "http://127.0.0.1:9708"}), "no error") << "a URL needs no web file";

    config_.web_config_file =
        write("tls.yml", "tls_server_config: {cert_file: node.pem, key_file: node.key}\n");
    EXPECT_THAT(error(), HasSubstr("node.pem: cannot be read: No such file"));
    const auto trusting = agent_access(config_, {.insecure = true});
    ASSERT_TRUE(trusting) << trusting.error().what;
    EXPECT_TRUE(trusting->url.tls);
    EXPECT_TRUE(trusting->is_own);
}

TEST_F(AgentAccessTest, EachRefusalHasItsAdvice) {
    struct Row {
        FetchError error;
        const char* advice;
    };
    const std::vector<Row> rows{
        {{WcsFault::http_status, "HTTP 401", false, 401}, "--username NAME and --password-file"},
        {{WcsFault::http_status, "HTTP 429", false, 429}, "wait a minute"},
        {{WcsFault::http_status, "HTTP 503", false, 503}, "try again"},
        {{WcsFault::truncated, "ended", true}, "metrics_allow"},
        {{WcsFault::tls, "ended", true}, "metrics_allow"},
        {{WcsFault::connect, "refused", true}, "--metrics-listen ADDR:PORT"},
    };
    const AgentAccess own{.is_own = true};
    for (const auto& row : rows) {
        EXPECT_THAT(why_no_answer(own, row.error), HasSubstr(row.advice)) << row.error.text;
        EXPECT_TRUE(why_no_answer(own, row.error).starts_with(row.error.text + '\n'));
    }
    const AgentAccess known{.username = "me", .password_from = "/secret"};
    EXPECT_THAT(why_no_answer(known, rows[0].error),
                HasSubstr("does not take user me with the password of /secret"));
    EXPECT_THAT(why_no_answer({}, rows.back().error), HasSubstr("running there"));
    EXPECT_EQ(why_no_answer(own, {WcsFault::tls, "expired"}), "expired\n");
}

}  // namespace
}  // namespace wcs_node_agent
