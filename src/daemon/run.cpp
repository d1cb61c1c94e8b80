// SPDX-License-Identifier: Apache-2.0
#include "daemon/run.hpp"

#include "daemon/daemon.hpp"
#include "daemon/descriptor_budget.hpp"
#include "daemon/effective_config.hpp"
#include "daemon/exit_status.hpp"
#include "daemon/log.hpp"
#include "daemon/pinning.hpp"
#include "daemon/privileges.hpp"
#include "kernel/open_probe.hpp"

#include <cstdio>

#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

int fail(const Error& error) {
    spdlog::critical("{}", error.what);
    return exit_failed;
}

void tell_start(const OpenedProbe& opened) {
    if (opened.probe->source() == Source::ebpf)
        spdlog::info("counting by eBPF: {}", opened.detail);
    else
        spdlog::warn("counting from /proc, which is less exact: {}", opened.detail);
    if (!opened.pinning.empty()) spdlog::info("kernel.pin: {}", opened.pinning);
}

}  // namespace

int run_daemon(const Invocation& invocation) {
    ConfigSource source{.file = find_config_file(invocation.config_file),
                        .overrides = invocation.overrides};
    auto config = load_config(source.file, source.overrides);
    if (!config) {
        std::fputs(to_string(config.error()).c_str(), stderr);
        return exit_wrong_usage;
    }
    log_to_standard_error(config->log_level);
    const auto descriptors = raise_descriptor_limit();
    auto wcs = wcs_settings(*config);
    if (!wcs) return fail(wcs.error());

    auto pins = prepare_pinning(*config);
    if (!pins) return fail(pins.error());
    auto probe = open_probe(config->source, std::move(pins).value());
    if (!probe) return fail(probe.error());
    tell_start(*probe);
    const auto kept = probe->needs_net_admin ? KeptPrivilege::net_admin : KeptPrivilege::none;
    auto links = LinkMonitor::open();
    if (!links) return fail(links.error());
    Sampler sampler(std::move(probe).value(), std::move(links).value(), *config);
    if (const auto listed = sampler.refresh_links(); !listed) return fail(listed.error());
    if (const auto faults = sampler.check(*config); !faults.empty()) {
        std::fputs(to_string(faults).c_str(), stderr);
        return exit_wrong_usage;
    }
    sampler.follow_chosen();  // the first answer needs them; the others follow while it serves

    Daemon daemon(std::move(source), *config, std::move(wcs).value(), std::move(sampler));
    daemon.limit_connections(descriptors);
    if (const auto listening = daemon.listen(); !listening) return fail(listening.error());
    if (const auto dropped = drop_privileges(kept); !dropped) return fail(dropped.error());
    daemon.serve();
    return exit_done;
}

}  // namespace wcs_node_agent
