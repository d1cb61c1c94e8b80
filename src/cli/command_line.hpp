// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/agent_access.hpp"
#include "cli/operator_command.hpp"
#include "config/settings.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>

namespace wcs_node_agent {

enum class Command {
    run,
    check,
    status,
    top,
    config_check,
    config_show,
    doctor,
    unpin,
    drain,
    maint,
    ready,
    reload
};

/// What the operator asked for. The values of the options are not looked at yet: load_config() does
/// that, together with those of the file.
struct Invocation {
    Command command = Command::run;
    std::optional<std::filesystem::path> config_file;  // --config, or the file of `config check`
    Json overrides = Json::object();                   // settings given as options
    std::string profile = {};                          // check --profile; empty: none
    bool json = false;                                 // status --json
    bool once = false;                                 // top --once
    AskedAgent asked = {};                             // status, top: --url and what goes with it
    std::chrono::milliseconds delay{1000};             // top --delay
    std::optional<WaitUntil> wait = {};                // drain --wait
};

/// Nothing to run: help or the version was asked for, or the usage was wrong.
struct EarlyExit {
    int status = 0;    // exit_done or exit_wrong_usage
    std::string text;  // for standard output where done, else for standard error
};

/// Reads the arguments of main(). Wrong usage reports every error.
std::variant<Invocation, EarlyExit> parse_command_line(int argc, const char* const* argv);

}  // namespace wcs_node_agent
