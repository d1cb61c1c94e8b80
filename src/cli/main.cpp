// SPDX-License-Identifier: Apache-2.0
#include "cli/agent_client.hpp"
#include "cli/check.hpp"
#include "cli/command_line.hpp"
#include "cli/config_commands.hpp"
#include "cli/doctor.hpp"
#include "cli/operator_command.hpp"
#include "cli/reload_command.hpp"
#include "cli/status_command.hpp"
#include "cli/top/top.hpp"
#include "cli/unpin.hpp"
#include "config/effective_config.hpp"
#include "config/profile_values.hpp"
#include "daemon/run.hpp"
#include "process/exit_status.hpp"
#include "process/signals.hpp"
#include "process/standard_streams.hpp"

#include <algorithm>
#include <exception>
#include <iostream>
#include <malloc.h>
#include <string>
#include <string_view>

namespace {

using namespace wcs_node_agent;

/// Reports every error of the file and the options, or acts on what they come to.
template <class Act>
int with_config(const Invocation& invocation, Act act) {
    const auto config = load_config(find_config_file(invocation.config_file), invocation.overrides);
    if (!config) {
        std::cerr << to_string(config.error());
        return exit_wrong_usage;
    }
    return act(*config);
}

/// Acts on the agent that is asked, or says why it cannot be.
template <class Act>
int with_agent(const Invocation& invocation, Act act) {
    return with_config(invocation, [&](const Config& config) {
        auto access = agent_access(config, invocation.asked);
        if (access) return act(AgentClient(*std::move(access)));
        std::cerr << access.error().what;
        return static_cast<int>(exit_failed);
    });
}

/// The configuration with the profile's answer in place of the node's, and no other one.
Checked<Config> by_profile(const Config& config, const std::string& name) {
    const auto found = std::ranges::find(config.profiles, name, &Profile::name);
    if (found == config.profiles.end())
        return ConfigErrors{{.where = "--profile", .what = "the file has no profile " + name}};
    auto alone = with_profile(config, *found);
    alone.profiles.clear();
    return alone;
}

int dispatch(const Invocation& invocation) {
    const auto say = [&](Word word) {
        return with_config(invocation, [&](const Config& config) {
            return say_word(config.control, word, invocation.wait, std::cout, std::cerr);
        });
    };
    switch (invocation.command) {
        case Command::run:
            return run_daemon({.file = invocation.config_file, .overrides = invocation.overrides});
        case Command::check:
            return with_config(invocation, [&](const Config& config) {
                const bool asked_differently = invocation.config_file ||
                                               !invocation.overrides.empty() ||
                                               !invocation.profile.empty();
                const auto judged = invocation.profile.empty()
                                        ? Checked<Config>(config)
                                        : by_profile(config, invocation.profile);
                if (judged) return check_once(*judged, asked_differently, std::cout, std::cerr);
                std::cerr << to_string(judged.error());
                return exit_wrong_usage;
            });
        case Command::status:
            return with_agent(invocation, [&](const AgentClient& agent) {
                return show_status(agent, invocation.json, std::cout, std::cerr);
            });
        case Command::top:
            return with_agent(invocation, [&](const AgentClient& agent) {
                return invocation.once ? print_top(agent, std::cout, std::cerr)
                                       : run_top(agent, invocation.delay, std::cerr);
            });
        case Command::doctor:
            return with_config(invocation,
                               [](const Config& config) { return run_doctor(config, std::cout); });
        case Command::unpin:
            return with_config(invocation, [](const Config& config) {
                return unpin_command(config, std::cout, std::cerr);
            });
        case Command::drain:
            return say(Word::drain);
        case Command::maint:
            return say(Word::maint);
        case Command::ready:
            return say(Word::ready);
        case Command::reload:
            return with_config(invocation, [](const Config& config) {
                return reload_command(config.control, std::cout, std::cerr);
            });
        case Command::config_check:
            return check_config(invocation.config_file, std::cout, std::cerr);
        case Command::config_show:
            return show_config(find_config_file(invocation.config_file), invocation.overrides,
                               std::cout, std::cerr);
    }
    return exit_wrong_usage;
}

}  // namespace

int main(int argc, char** argv) {
    open_standard_streams();
    if (argc > 1 && std::string_view(argv[1]) == "run") hold_signals();  // as early as can be
    ::mallopt(M_ARENA_MAX, 1);  // what one thread allocates another frees, and seldom both at once
    try {
        auto parsed = parse_command_line(argc, argv);
        if (const auto* early = std::get_if<EarlyExit>(&parsed)) {
            (early->status == exit_done ? std::cout : std::cerr) << early->text;
            return early->status;
        }
        const int status = dispatch(std::get<Invocation>(parsed));
        if (status != exit_done || std::cout.flush()) return status;
        std::cerr << "wcs-node-agent: standard output cannot be written\n";
        return exit_failed;
    } catch (const std::exception& unhandled) {
        std::cerr << "wcs-node-agent: " << unhandled.what() << '\n';
        return exit_failed;
    }
}
