// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include "cli/command_options.hpp"
#include "cli/limit_words.hpp"
#include "config/config_error.hpp"
#include "config/effective_config.hpp"
#include "config/json_value.hpp"
#include "config/value_text.hpp"
#include "process/exit_status.hpp"

#include <wcs_node_agent/version.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <span>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

constexpr std::string_view footer = R"(Examples:
  wcs-node-agent run                            serve, with the file or the defaults
  wcs-node-agent run --allow 10.0.0.0/8 --band-out 1000
  wcs-node-agent check cpu 80 band-out 500      one reply, in place of a script under xinetd
  wcs-node-agent config show --hls off          the file that would do the same
  wcs-node-agent status --json
  wcs-node-agent top                            the same, live
  wcs-node-agent drain --wait --deadline 30m    no new sessions; return when none is left

Exit status: 0 done, 1 failed, 2 wrong usage or configuration.
Each command has a --help of its own; the manual is wcs-node-agent(8).)";

/// The commands and their options. CLI11 takes the line apart; what it says is then read from the
/// options, since it stops at its first error and we want them all.
class Commands {
 public:
    Commands() {
        app_.set_version_flag("--version", fmt::format("wcs-node-agent {}", version))
            ->description("print the version");
        app_.get_formatter()->column_width(38);
        app_.allow_extras();  // add_unknown() reports them; subcommands inherit it

        // One command at most: the next word is an argument, even if it is a command's name.
        app_.require_subcommand(0, 1);
        add(app_, "run", Command::run, "serve agent checks and metrics", add_run_options);
        add(app_, "check", Command::check,
            "print one HAProxy line: the running agent's, or from a sample of its own",
            add_check_options);
        add(app_, "status", Command::status, "show what a running agent sees", add_status_options);
        add(app_, "top", Command::top, "watch what a running agent sees, in the terminal",
            add_top_options);
        add(app_, "doctor", Command::doctor,
            "report what this kernel and this user can do, and what would be used",
            add_run_options);
        add(app_, "drain", Command::drain,
            "say to the balancers: no new sessions, those that are there go on", add_drain_options);
        add(app_, "maint", Command::maint, "say to them: out for everybody", add_word_options);
        add(app_, "ready", Command::ready, "take that back", add_word_options);
        add(app_, "reload", Command::reload,
            "have the running agent read its configuration again, and wait until it has",
            add_word_options);
        add(app_, "unpin", Command::unpin,
            "end the counting that goes on while no agent runs (kernel.pin)", add_unpin_options);
        config_ = app_.add_subcommand("config", "look at the configuration");
        config_->require_subcommand(0, 1);
        add(*config_, "check", Command::config_check, "report every error of a file",
            add_config_check_options);
        add(*config_, "show", Command::config_show, "print the effective configuration",
            add_config_show_options);
        app_.footer(std::string(footer));
    }

    std::variant<Invocation, EarlyExit> parse(int argc, const char* const* argv) {
        ConfigErrors errors;
        try {
            app_.parse(argc, argv);
        } catch (const CLI::Success& asked) {  // --help or --version
            std::ostringstream text;
            app_.exit(asked, text, text);
            return EarlyExit{exit_done, text.str()};
        } catch (const CLI::ParseError& error) {
            errors.push_back({.where = "command line", .what = error.what()});
        }
        Invocation invocation;
        const auto chosen =
            std::ranges::find_if(known_, [](const auto& known) { return known.first->parsed(); });
        if (chosen == known_.end()) {
            add_no_command(errors);
        } else {
            const CLI::App& app = *chosen->first;
            invocation = {.command = chosen->second,
                          .config_file = config_file(app),
                          .overrides = overrides(app, errors),
                          .profile = last(app, "--profile"),
                          .json = is_given(app, "--json"),
                          .once = is_given(app, "--once"),
                          .asked = {.url = last(app, "--url"),
                                    .ca_file = last(app, "--ca-file"),
                                    .insecure = is_given(app, "--insecure")},
                          .wait = wait(app, errors)};
            if (is_given(app, "--delay")) set_delay(invocation, last(app, "--delay"), errors);
            add_unknown(app, errors);
        }
        if (errors.empty()) {
            return invocation;
        }
        Config scratch;
        std::ranges::move(apply_overrides(scratch, invocation.overrides),
                          std::back_inserter(errors));
        return EarlyExit{exit_wrong_usage, to_string(errors) + "See wcs-node-agent --help.\n"};
    }

 private:
    void add(CLI::App& parent, const std::string& name, Command command,
             const std::string& description, void (*add_options)(CLI::App&)) {
        CLI::App* added = parent.add_subcommand(name, description);
        added->preparse_callback([added, add_options](std::size_t) { add_options(*added); });
        known_.emplace_back(added, command);
    }

    static std::vector<std::string> given(const CLI::App& command, const std::string& name) {
        const CLI::Option* option = command.get_option_no_throw(name);
        return option == nullptr ? std::vector<std::string>() : option->results();
    }

    static std::string last(const CLI::App& command, const std::string& name) {
        const auto values = given(command, name);
        return values.empty() ? std::string() : values.back();
    }

    static bool is_given(const CLI::App& command, const std::string& name) {
        return !given(command, name).empty();
    }

    static std::optional<std::filesystem::path> config_file(const CLI::App& command) {
        for (const char* name : {"--config", "FILE"}) {
            const auto values = given(command, name);
            if (!values.empty()) {
                return values.back();
            }
        }
        return std::nullopt;
    }

    static Json overrides(const CLI::App& command, ConfigErrors& errors) {
        Json values = Json::object();
        for (const Setting& setting : settings()) {
            const std::string option = option_name(setting.name);
            const auto texts = given(command, option);
            if (texts.empty()) {
                continue;
            }
            if (!setting.is_list && texts.size() > 1) {
                errors.push_back({.where = option, .what = "given twice"});
            }
            values[setting.name] = setting.is_list ? Json(texts) : Json(texts.back());
        }
        add_limit_words(given(command, "limits"), values, errors);
        return values;
    }

    static std::optional<WaitUntil> wait(const CLI::App& command, ConfigErrors& errors) {
        constexpr std::size_t most_sessions = 1'000'000;
        constexpr std::chrono::hours longest_wait(168);
        WaitUntil until;
        const auto read = [&](const char* option, auto& field, auto read_value) {
            const auto texts = given(command, option);
            if (texts.empty()) return;
            if (!is_given(command, "--wait"))
                errors.push_back({.where = option, .what = "needs --wait"});
            if (const auto value = read_value(Json(texts.back())))
                field = *value;
            else
                errors.push_back({.where = option, .what = value.error().what});
        };
        read("--until-sessions", until.sessions,
             [&](const Json& json) { return read_count(json, most_sessions); });
        read("--deadline", until.deadline, [&](const Json& json) {
            return read_duration(json, std::chrono::seconds(1), longest_wait);
        });
        return is_given(command, "--wait") ? std::optional(until) : std::nullopt;
    }

    static void set_delay(Invocation& invocation, const std::string& text, ConfigErrors& errors) {
        const auto delay = parse_duration(text);
        if (delay && *delay >= std::chrono::milliseconds(250) && *delay <= std::chrono::minutes(1))
            invocation.delay = std::chrono::duration_cast<std::chrono::milliseconds>(*delay);
        else
            errors.push_back(
                {.where = "--delay", .what = "expected a time of 250ms to 60s, such as 2s"});
    }

    void add_no_command(ConfigErrors& errors) const {
        const auto words = app_.remaining(true);
        const bool in_config = config_->parsed();
        static constexpr std::array<std::string_view, 2> of_config{"check", "show"};
        static constexpr std::array<std::string_view, 11> of_app{
            "run",   "check",  "status", "top",    "drain", "maint",
            "ready", "reload", "config", "doctor", "unpin"};
        const std::span<const std::string_view> names =
            in_config ? std::span<const std::string_view>(of_config) : of_app;
        if (words.empty()) {
            errors.push_back(
                {.where = in_config ? "config" : "command line",
                 .what = fmt::format("a command is missing: {}", fmt::join(names, ", "))});
        } else {
            errors.push_back({.where = words.front(),
                              .what = "unknown command" + did_you_mean(words.front(), names)});
        }
    }

    /// What no option and no positional took.
    void add_unknown(const CLI::App& command, ConfigErrors& errors) const {
        std::vector<std::string> names;
        for (const CLI::Option* option : command.get_options()) {
            names.push_back(option->get_name());
        }
        const std::vector<std::string_view> known(names.begin(), names.end());
        bool value_of_unknown = false;
        for (const std::string& word : app_.remaining(true)) {
            const bool is_option = word.starts_with('-');
            if (is_option && word != "--") {
                const std::string name = word.substr(0, word.find('='));
                errors.push_back(
                    {.where = name, .what = "unknown option" + did_you_mean(name, known)});
            } else if (!is_option && !value_of_unknown) {
                errors.push_back({.where = word, .what = "unexpected argument"});
            }
            value_of_unknown = is_option && word.find('=') == std::string::npos;
        }
    }

    CLI::App app_{
        "Node agent for Web Call Server: HAProxy agent checks and Prometheus metrics from "
        "the kernel's own counters",
        "wcs-node-agent"};
    CLI::App* config_ = nullptr;
    std::vector<std::pair<CLI::App*, Command>> known_;
};

}  // namespace

std::variant<Invocation, EarlyExit> parse_command_line(int argc, const char* const* argv) {
    return Commands().parse(argc, argv);
}

}  // namespace wcs_node_agent
