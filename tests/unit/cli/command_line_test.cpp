// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include "config/effective_config.hpp"

#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::variant<Invocation, EarlyExit> parse(const std::vector<const char*>& arguments) {
    std::vector<const char*> argv{"wcs-node-agent"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

std::string joined(const std::vector<const char*>& arguments) {
    std::string line;
    for (const char* argument : arguments) {
        line += std::string(" ") + argument;
    }
    return line;
}

TEST(CommandLine, CommandsAndTheirOptions) {
    struct Row {
        std::vector<const char*> arguments;
        Command command;
        const char* config_file;  // or null
        std::string_view overrides;
    };
    const std::array rows{
        Row{{"run"}, Command::run, nullptr, "{}"},
        Row{{"run", "--config", "a.json"}, Command::run, "a.json", "{}"},
        Row{{"run", "--config=a.json", "--cpu=80"}, Command::run, "a.json", R"({"cpu": "80"})"},
        Row{{"run", "--allow", "10.0.0.0/8", "--band-out", "off", "--allow", "::1"},
            Command::run,
            nullptr,
            R"({"allow": ["10.0.0.0/8", "::1"], "band_out": "off"})"},
        Row{{"run", "--agent-listen", "[::1]:0", "--sample-interval", "1s"},
            Command::run,
            nullptr,
            R"({"agent_listen": ["[::1]:0"], "sample_interval": "1s"})"},
        Row{{"check"}, Command::check, nullptr, "{}"},
        Row{{"check", "cpu", "80", "band-out", "500", "publishers", "50"},
            Command::check,
            nullptr,
            R"({"cpu": "80", "band_out": "500", "publishers": "50"})"},
        Row{{"check", "band-out", "80%", "--wire-overhead", "24"},
            Command::check,
            nullptr,
            R"({"wire_overhead": "24", "band_out": "80%"})"},
        Row{{"check", "band_in", "9", "--wcs-url", "http://a/", "hls", "0", "--interface", "eth*"},
            Command::check,
            nullptr,
            R"({"wcs_url": "http://a/", "interface": ["eth*"], "band_in": "9", "hls": "0"})"},
        Row{{"status"}, Command::status, nullptr, "{}"},
        Row{{"status", "--metrics-listen", "127.0.0.1:1"},
            Command::status,
            nullptr,
            R"({"metrics_listen": ["127.0.0.1:1"]})"},
        Row{{"top", "--metrics-listen", "127.0.0.1:1"},
            Command::top,
            nullptr,
            R"({"metrics_listen": ["127.0.0.1:1"]})"},
        Row{{"config", "check", "f.json"}, Command::config_check, "f.json", "{}"},
        Row{{"config", "check", "check"}, Command::config_check, "check", "{}"},
        Row{{"config", "show", "--hls", "5", "--config", "f"},
            Command::config_show,
            "f",
            R"({"hls": "5"})"},
        Row{{"doctor", "--source", "ebpf"}, Command::doctor, nullptr, R"({"source": "ebpf"})"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(joined(row.arguments));
        const auto parsed = parse(row.arguments);
        const auto* invocation = std::get_if<Invocation>(&parsed);
        ASSERT_NE(invocation, nullptr) << std::get<EarlyExit>(parsed).text;
        EXPECT_EQ(invocation->command, row.command);
        EXPECT_EQ(invocation->config_file.value_or("none"),
                  row.config_file == nullptr ? "none" : row.config_file);
        EXPECT_EQ(nlohmann::json(invocation->overrides), nlohmann::json::parse(row.overrides));
        EXPECT_FALSE(invocation->json);
    }
}

TEST(CommandLine, StatusAsJson) {
    const auto parsed = parse({"status", "--json"});
    ASSERT_TRUE(std::holds_alternative<Invocation>(parsed));
    EXPECT_TRUE(std::get<Invocation>(parsed).json);
}

TEST(CommandLine, HowOftenTopAsks) {
    using namespace std::chrono_literals;
    const auto invocation = [](const std::vector<const char*>& arguments) {
        return std::get<Invocation>(parse(arguments));
    };
    EXPECT_FALSE(invocation({"top"}).once);
    EXPECT_EQ(invocation({"top"}).delay, 1s);
    EXPECT_EQ(invocation({"top", "--delay", "250ms"}).delay, 250ms);
    EXPECT_EQ(invocation({"top", "--delay=60s"}).delay, 60s);
    EXPECT_TRUE(invocation({"top", "--once"}).once);
}

TEST(CommandLine, WrongUsageEndsWithTwo) {
    struct Row {
        std::vector<const char*> arguments;
        std::vector<const char*> told;
    };
    const std::array rows{
        Row{{},
            {"command line: a command is missing: run, check, status, top, drain, maint, ready, "
             "reload, "
             "config, doctor"}},
        Row{{"rum"}, {"rum: unknown command; did you mean run?"}},
        Row{{"halt"}, {"halt: unknown command\n"}},
        Row{{"config"}, {"config: a command is missing: check, show"}},
        Row{{"config", "shwo"}, {"shwo: unknown command; did you mean show?"}},
        Row{{"run", "status"}, {"status: unexpected argument"}},
        Row{{"run", "--band-ou", "5"}, {"--band-ou: unknown option; did you mean --band-out?"}},
        Row{{"run", "--band_out=5"}, {"--band_out: unknown option; did you mean --band-out?"}},
        Row{{"run", "--counts", "x"}, {"--counts: unknown option"}},
        Row{{"run", "-x"}, {"-x: unknown option"}},
        Row{{"run", "--cpu", "5", "--cpu", "6"}, {"--cpu: given twice"}},
        Row{{"run", "--cpu"}, {"--cpu: 1 required PERCENT missing"}},
        Row{{"run", "--foo", "--bar", "--cpu", "500", "baz"},
            {"--foo: unknown option", "--bar: unknown option", "--cpu: must be a number"}},
        Row{{"status", "--cpu", "5"}, {"--cpu: unknown option"}},
        Row{{"top", "--delay", "2"}, {"--delay: expected a time of 250ms to 60s, such as 2s"}},
        Row{{"top", "--delay", "249ms"}, {"--delay: expected a time"}},
        Row{{"top", "--delay", "61s"}, {"--delay: expected a time"}},
        Row{{"top", "--json"}, {"--json: unknown option"}},
        Row{{"check", "cpu"}, {"cpu: has no value"}},
        Row{{"check", "cpi", "5"}, {"cpi: is not one of cpu, publishers"}},
        Row{{"check", "cpu", "5", "cpu", "6"}, {"cpu: given twice"}},
        Row{{"check", "cpu", "5", "--cpu", "6"}, {"cpu: given twice"}},
        Row{{"check", "x", "1", "y", "2", "hls", "-1"},
            {"x: is not", "y: is not", "--hls: must be"}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(joined(row.arguments));
        const auto parsed = parse(row.arguments);
        const auto* exit = std::get_if<EarlyExit>(&parsed);
        ASSERT_NE(exit, nullptr);
        EXPECT_EQ(exit->status, 2);
        EXPECT_THAT(exit->text, HasSubstr("See wcs-node-agent --help."));
        for (const char* told : row.told) {
            EXPECT_THAT(exit->text, HasSubstr(told));
        }
    }
}

TEST(CommandLine, VersionIsOneLine) {
    const auto parsed = parse({"--version"});
    ASSERT_TRUE(std::holds_alternative<EarlyExit>(parsed));
    EXPECT_EQ(std::get<EarlyExit>(parsed).status, 0);
    EXPECT_EQ(std::get<EarlyExit>(parsed).text, "wcs-node-agent 0.1.0\n");
}

TEST(CommandLine, HelpNamesTheCommandsAndShowsExamples) {
    const auto parsed = parse({"--help"});
    ASSERT_TRUE(std::holds_alternative<EarlyExit>(parsed));
    const auto& exit = std::get<EarlyExit>(parsed);
    EXPECT_EQ(exit.status, 0);
    EXPECT_THAT(exit.text, AllOf(HasSubstr("run"), HasSubstr("check"), HasSubstr("status"),
                                 HasSubstr("doctor"), HasSubstr("config"), HasSubstr("Examples:")));
}

TEST(CommandLine, HelpOfRunNamesEverySetting) {
    const auto parsed = parse({"run", "--help"});
    ASSERT_TRUE(std::holds_alternative<EarlyExit>(parsed));
    const auto& exit = std::get<EarlyExit>(parsed);
    EXPECT_EQ(exit.status, 0);
    for (const Setting& setting : settings()) {
        if (!setting.value.empty() && setting.group != client_group) {
            EXPECT_THAT(exit.text, HasSubstr(option_name(setting.name)));
        }
    }
}

TEST(CommandLine, StatusAndTopTakeWhomToAskAndWhoAsks) {
    for (const char* command : {"status", "top"}) {
        SCOPED_TRACE(command);
        const auto parsed =
            parse({command, "--url", "https://node:9708", "--ca-file", "ca.pem", "--insecure",
                   "--username", "me", "--password-file=secret", "--cert-file", "c.pem"});
        ASSERT_TRUE(std::holds_alternative<Invocation>(parsed));
        const auto& asked = std::get<Invocation>(parsed).asked;
        EXPECT_EQ(asked.url, "https://node:9708");
        EXPECT_EQ(asked.ca_file, "ca.pem");
        EXPECT_TRUE(asked.insecure);
        Config config;
        EXPECT_TRUE(apply_overrides(config, std::get<Invocation>(parsed).overrides).empty());
        EXPECT_EQ(config.client.username, "me");
        EXPECT_EQ(config.client.password_file, "secret");
        EXPECT_EQ(config.client.cert_file, "c.pem");
    }
    for (const char* command : {"run", "check", "doctor"})
        EXPECT_TRUE(std::holds_alternative<EarlyExit>(parse({command, "--username", "me"})));
}

}  // namespace
}  // namespace wcs_node_agent
