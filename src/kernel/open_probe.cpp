// SPDX-License-Identifier: Apache-2.0
#include "kernel/open_probe.hpp"

#include "kernel/ebpf_probe.hpp"
#include "kernel/procfs.hpp"
#include "kernel/requirements.hpp"

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

Result<OpenedProbe> open_ebpf(std::optional<PinFolder> pins) {
    if (const auto lacks = missing(ebpf_requirements()); !lacks.empty())
        return Error{"eBPF cannot be used here, missing: " + lacks};
    auto probe = EbpfProbe::load({}, std::move(pins));
    if (!probe) return Error{"eBPF cannot be used here: " + probe.error().what, probe.error().code};
    const auto hook = (*probe)->hook_kind();
    auto detail = fmt::format("traffic on {}, what the qdisc drops {}", to_string(hook),
                              (*probe)->subtracts_drops() ? "subtracted" : "counted as sent");
    auto pinning = (*probe)->pinning();
    const auto own_filters = (*probe)->own_filters();
    return OpenedProbe{.probe = std::move(probe).value(),
                       .detail = std::move(detail),
                       .needs_net_admin = hook == HookKind::clsact,
                       .pinning = std::move(pinning),
                       .own_filters = own_filters};
}

}  // namespace

Result<OpenedProbe> open_probe(SourceChoice choice, std::optional<PinFolder> pins) {
    std::string why_not_ebpf = "asked for by configuration";
    if (choice != SourceChoice::procfs) {
        auto opened = open_ebpf(std::move(pins));
        if (opened || choice == SourceChoice::ebpf) return opened;
        why_not_ebpf = opened.error().what;
    }
    auto procfs = ProcfsProbe::open();
    if (!procfs) return procfs.error();
    return OpenedProbe{.probe = std::move(procfs).value(), .detail = std::move(why_not_ebpf)};
}

std::size_t unpin(const PinFolder& folder) {
    TrafficHook::detach_all(folder);
    return folder.clear();
}

}  // namespace wcs_node_agent
