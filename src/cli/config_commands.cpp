// SPDX-License-Identifier: Apache-2.0
#include "cli/config_commands.hpp"

#include "config/effective_config.hpp"
#include "config/wcs_trust.hpp"
#include "daemon/host_check.hpp"
#include "http/auth/web_config.hpp"
#include "process/exit_status.hpp"

#include <ostream>

namespace wcs_node_agent {

int check_config(const std::optional<std::filesystem::path>& file, std::ostream& out,
                 std::ostream& err) {
    const auto found = find_config_file(file);
    const auto config = load_config(found, Json::object());
    if (!config) {
        err << to_string(config.error());
        return exit_wrong_usage;
    }
    const auto web = load_web_config(config->web_config_file);
    if (!web) {
        err << to_string(web.error());
        return exit_wrong_usage;
    }
    if (const auto wcs = load_wcs_settings(*config); !wcs) {
        err << to_string(wcs.error());
        return exit_wrong_usage;
    }
    if (const auto errors = check_on_this_host(*config); !errors.empty()) {
        err << to_string(errors);
        return exit_wrong_usage;
    }
    for (const auto& warning : warnings_on_this_host(*config))
        err << "warning: " << warning << '\n';
    for (const auto& warning : web->warnings) err << "warning: " << warning << '\n';
    out << (found ? found->string() : "no file, so the defaults") << ": ok\n";
    return exit_done;
}

int show_config(const std::optional<std::filesystem::path>& file, const Json& overrides,
                std::ostream& out, std::ostream& err) {
    const auto config = load_config(file, overrides);
    if (!config) {
        err << to_string(config.error());
        return exit_wrong_usage;
    }
    // A name given on the command line need not be UTF-8.
    out << show_settings(*config).dump(4, ' ', false, Json::error_handler_t::replace) << '\n';
    return exit_done;
}

}  // namespace wcs_node_agent
