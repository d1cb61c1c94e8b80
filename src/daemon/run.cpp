// SPDX-License-Identifier: Apache-2.0
#include "daemon/run.hpp"

#include "daemon/daemon.hpp"
#include "daemon/pinning.hpp"
#include "kernel/open_probe.hpp"
#include "process/descriptors.hpp"
#include "process/exit_status.hpp"
#include "process/log.hpp"
#include "process/privileges.hpp"
#include "process/program_text.hpp"
#include "process/user.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

int fail(const Error& error) {
    spdlog::critical("{}", error.what);
    return exit_failed;
}

int fail(const ConfigErrors& errors) {
    report_errors(to_string(errors));
    return exit_wrong_usage;
}

void log_start(const OpenedProbe& opened) {
    if (opened.probe->source() == Source::ebpf)
        spdlog::info("counting by eBPF: {}", opened.detail);
    else
        spdlog::warn("counting from /proc, which is less exact: {}", opened.detail);
    if (!opened.pinning.empty()) spdlog::info("kernel.pin: {}", opened.pinning);
}

/// What root's process can read its own user may not, which shows at the first reload.
void log_user(const std::optional<User>& user, const std::optional<std::filesystem::path>& file,
              const Config& config) {
    if (user) spdlog::info("running as user {}", user->name);
    if (file && ::access(file->c_str(), R_OK) != 0)
        spdlog::warn("{} cannot be read by the user that this runs as ({}): a reload will fail",
                     file->native(), std::strerror(errno));
    const auto& authorities = config.wcs_ca_file;
    if (config.wcs_url.tls && !authorities.empty() && ::access(authorities.c_str(), R_OK) != 0)
        spdlog::warn(
            "wcs_ca_file {} cannot be read by the user that this runs as ({}): a reload will not "
            "read it again",
            authorities, std::strerror(errno));
}

}  // namespace

int run_daemon(const ConfigSource& source) {
    auto loaded = load(source);
    if (!loaded) return fail(loaded.error());
    log_to_standard_error(loaded->config.log_level);
    auto passed = take_passed_descriptors();
    if (!passed) return fail(passed.error());
    InheritedPorts inherited(std::move(passed).value());
    inherited.impose(loaded->config);
    const Config config = loaded->config;
    const auto descriptors = raise_descriptor_limit();

    const auto user = user_to_become(config.user);
    if (!user) return fail({{.where = "user", .what = user.error().what}});
    auto pins = prepare_pinning(config);
    if (!pins) return fail(pins.error());
    auto probe = open_probe(config.source, std::move(pins).value());
    if (!probe) return fail(probe.error());
    log_start(*probe);
    const auto kept = probe->needs_net_admin && config.follow_interfaces ? KeptPrivilege::net_admin
                                                                         : KeptPrivilege::none;
    auto links = LinkMonitor::open(probe->own_filters);
    if (!links) return fail(links.error());
    Sampler sampler(std::move(probe).value(), std::move(links).value(), config);
    if (const auto listed = sampler.refresh_links(); !listed) return fail(listed.error());
    if (const auto errors = sampler.check(config); !errors.empty()) return fail(errors);
    sampler.attach_selected();  // the first answer needs them; the others follow while it serves

    if (*user)
        if (const auto given = sampler.give_to((*user)->uid, (*user)->gid); !given)
            spdlog::warn("kernel.pin: interfaces that appear later will not be pinned: {}",
                         given.error().what);

    Daemon daemon(source, *std::move(loaded), std::move(sampler), std::move(inherited));
    daemon.limit_connections(descriptors);
    if (const auto listening = daemon.listen(); !listening) return fail(listening.error());
    if (*user) daemon.give_to((*user)->uid, (*user)->gid);
    if (const auto dropped = drop_privileges(kept, *user); !dropped) return fail(dropped.error());
    log_user(*user, find_config_file(source.file), config);
    release_program_text();
    daemon.serve();
    return exit_done;
}

}  // namespace wcs_node_agent
