// SPDX-License-Identifier: Apache-2.0
#include "cli/command_options.hpp"

#include "cli/limit_words.hpp"
#include "config/config_file.hpp"
#include "config/settings.hpp"

#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wcs_node_agent {
namespace {

constexpr int any_number = CLI::detail::expected_max_vector_size;

void add_config_option(CLI::App& command) {
    command.add_option("--config")
        ->description(fmt::format("the configuration (default {})", default_config_file))
        ->type_name("FILE");
}

void add_setting(CLI::App& command, const Setting& setting) {
    if (setting.value.empty()) {
        return;
    }
    CLI::Option* option = command.add_option(option_name(setting.name));
    option
        ->description(fmt::format("{} ({}default {})", setting.help,
                                  setting.range ? setting.range() + ", " : "",
                                  default_text(setting)))
        ->type_name(std::string(setting.value))
        ->group(std::string(setting.group));
    if (setting.is_list) {
        option->expected(1, any_number)->allow_extra_args(false);  // one value each time
    } else {
        option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);  // each is looked at later
    }
}

/// Of the agent that is asked, and who asks.
void add_client_options(CLI::App& command) {
    add_config_option(command);
    for (const char* name : {"metrics_listen", "web_config_file"})
        add_setting(command, *find_setting(name));
    command.add_option("--url")
        ->description("the agent to ask, http[s]://HOST[:PORT] (default: the configuration's)")
        ->type_name("URL");
    command.add_option("--ca-file")
        ->description(
            "PEM certificates by which that of the agent is verified: its CA's, or its own "
            "(default the system's CAs; of the configuration's agent the certificate that its web "
            "file names)")
        ->type_name("FILE");
    command.add_flag("--insecure")->description("take any certificate");
    for (const Setting& setting : settings())
        if (setting.group == client_group) add_setting(command, setting);
}

}  // namespace

void add_run_options(CLI::App& run) {
    add_config_option(run);
    for (const Setting& setting : settings())
        if (setting.group != client_group) add_setting(run, setting);
}

void add_check_options(CLI::App& check) {
    add_run_options(check);
    check.add_option("--profile")
        ->description("a sample of its own, judged by this profile of the file")
        ->type_name("NAME");
    check.add_option("limits")
        ->description(fmt::format("any of: {} N", fmt::join(limit_words(), " N, ")))
        ->type_name("LIMIT N")
        ->expected(1, any_number)
        ->allow_extra_args();
}

void add_status_options(CLI::App& status) {
    add_client_options(status);
    status.add_flag("--json")->description("as JSON");
}

void add_top_options(CLI::App& top) {
    add_client_options(top);
    top.add_flag("--once")->description("print one frame as text, after 2 s, and end");
    top.add_option("--delay")
        ->description("how often to ask (250ms to 60s, default 1s)")
        ->type_name("TIME");
}

void add_word_options(CLI::App& word) {
    add_config_option(word);
    add_setting(word, *find_setting("control.socket"));
}

void add_drain_options(CLI::App& drain) {
    add_word_options(drain);
    drain.add_flag("--wait")->description("return once the node is empty enough");
    drain.add_option("--until-sessions")
        ->description("so many publishers, subscribers and HLS streams may be left (default 0)")
        ->type_name("N");
    drain.add_option("--deadline")
        ->description("end with status 1 after so long (1s to 168h, default 1h)")
        ->type_name("DURATION");
}

void add_unpin_options(CLI::App& unpin) {
    add_config_option(unpin);
    add_setting(unpin, *find_setting("kernel.pin_folder"));
}

void add_config_check_options(CLI::App& config_check) {
    config_check.add_option("FILE")->description(
        fmt::format("the file to check (default {})", default_config_file));
}

void add_config_show_options(CLI::App& config_show) {
    add_config_option(config_show);
    for (const Setting& setting : settings()) add_setting(config_show, setting);
}

}  // namespace wcs_node_agent
