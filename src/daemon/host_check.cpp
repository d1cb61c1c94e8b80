// SPDX-License-Identifier: Apache-2.0
#include "daemon/host_check.hpp"

#include "config/profile_values.hpp"
#include "daemon/capacity_follower.hpp"
#include "daemon/interface_names.hpp"
#include "kernel/link_speed.hpp"
#include "kernel/links.hpp"
#include "load/selection.hpp"
#include "process/user.hpp"

#include <fmt/format.h>

namespace wcs_node_agent {

ConfigErrors check_on_this_host(const Config& config) {
    ConfigErrors errors;
    if (!config.user.empty())  // one that is not named is done without
        if (const auto user = user_to_become(config.user); !user)
            errors.push_back({.where = "user", .what = user.error().what});
    auto monitor = LinkMonitor::open();
    const auto links = monitor ? monitor->list() : Result<std::vector<Link>>(monitor.error());
    if (!links) return errors;
    const auto selection = select_interfaces(*links, config.interfaces);
    auto of_links = check_names(selection, *links);
    if (of_links.empty())
        of_links =
            CapacityFollower(link_speed).check(limits_of_all(config), *links, selection.selected);
    errors.insert(errors.end(), of_links.begin(), of_links.end());
    return errors;
}

std::vector<std::string> warnings_on_this_host(const Config& config) {
    const auto& file = config.wcs_ca_file;
    if (!config.wcs_url.tls || file.empty()) return {};
    const auto user = chosen_user(config.user);
    if (!user || !*user || !why_not_become(**user).empty() || can_read(**user, file)) return {};
    return {fmt::format(
        "wcs_ca_file {} cannot be read by user {}, whom the agent of root becomes: a reload will "
        "not read it again",
        file, (*user)->name)};
}

}  // namespace wcs_node_agent
