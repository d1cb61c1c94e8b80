// SPDX-License-Identifier: Apache-2.0
#include "kernel/traffic_hook.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>
#include <string>

#include <bpf/bpf.h>
#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

// Values of linux/bpf.h from Linux 6.6, not yet in the headers of every distribution.
constexpr auto tcx_ingress = static_cast<bpf_attach_type>(46);
constexpr auto tcx_egress = static_cast<bpf_attach_type>(47);
constexpr unsigned before_others = 1U << 3;  // BPF_F_BEFORE
constexpr unsigned after_others = 1U << 4;   // BPF_F_AFTER

struct TcxDirection {
    const char* name;
    bpf_attach_type tcx;
    unsigned usual_order;
};

constexpr TcxDirection ingress{.name = "ingress", .tcx = tcx_ingress, .usual_order = before_others};
constexpr TcxDirection egress{.name = "egress", .tcx = tcx_egress, .usual_order = after_others};

Result<Descriptor> attach_tcx(const TcxDirection& direction, std::uint32_t ifindex, int program,
                              HookOrder order) {
    bpf_link_create_opts options{};
    options.sz = sizeof(options);
    options.flags = order == HookOrder::first ? before_others : direction.usual_order;
    Descriptor link(bpf_link_create(program, static_cast<int>(ifindex), direction.tcx, &options));
    if (!link) return failure(fmt::format("tcx {}", direction.name), errno);
    return link;
}

/// A link whose interface has gone, or that somebody has detached, stays as a descriptor, of no
/// interface.
bool is_alive(const Descriptor& tcx_link) {
    bpf_link_info info{};
    std::uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(tcx_link.get(), &info, &size) != 0) return false;
    return info.xdp.ifindex != 0;  // at the same place for TCX, which older headers do not name
}

constexpr std::string_view pin_prefix = "interface-";

std::string pin_name(std::uint32_t ifindex, std::string_view what) {
    return fmt::format("{}{}-{}", pin_prefix, ifindex, what);
}

/// A note in place of links, which clsact has not.
constexpr std::string_view clsact_note = "clsact";

std::optional<ClsactHook> noted_hook(const std::shared_ptr<TrafficControl>& control,
                                     std::uint32_t ifindex, const PinFolder& folder) {
    const auto note = folder.noted(pin_name(ifindex, clsact_note));
    return note ? ClsactHook::from_note(control, ifindex, *note) : std::nullopt;
}

}  // namespace

HookKind best_hook_kind(const TrafficPrograms& programs) {
    // No interface has this index: a kernel that knows TCX looks for it (ENODEV), an older one
    // refuses the kind of link at once (EINVAL).
    constexpr int no_interface = std::numeric_limits<int>::max();
    const Descriptor link(bpf_link_create(programs.receive, no_interface, tcx_ingress, nullptr));
    return errno == ENODEV ? HookKind::tcx : HookKind::clsact;
}

Result<TrafficHook> TrafficHook::attach(const std::shared_ptr<TrafficControl>& clsact,
                                        std::uint32_t ifindex, const TrafficPrograms& programs,
                                        HookOrder order) {
    if (clsact) {
        auto hook = ClsactHook::attach(clsact, ifindex, programs, order);
        if (!hook) return hook.error();
        return TrafficHook(std::move(hook).value());
    }
    auto receive = attach_tcx(ingress, ifindex, programs.receive, order);
    if (!receive) return receive.error();
    auto transmit = attach_tcx(egress, ifindex, programs.transmit, order);
    if (!transmit) return transmit.error();
    return TrafficHook({std::move(receive).value(), std::move(transmit).value()});
}

Result<void> TrafficHook::pin(std::uint32_t ifindex, const PinFolder& folder) const {
    unpin(ifindex, folder);
    if (const auto* clsact = std::get_if<ClsactHook>(&hook_))
        return folder.note(pin_name(ifindex, clsact_note), clsact->note());
    const auto& links = std::get<TcxLinks>(hook_);
    auto done = folder.pin(links[0].get(), pin_name(ifindex, ingress.name));
    if (done) done = folder.pin(links[1].get(), pin_name(ifindex, egress.name));
    if (!done) unpin(ifindex, folder);
    return done;
}

std::optional<TrafficHook> TrafficHook::take_over(const std::shared_ptr<TrafficControl>& clsact,
                                                  std::uint32_t ifindex, const PinFolder& folder) {
    if (clsact) {
        auto noted = noted_hook(clsact, ifindex, folder);
        if (!noted || !noted->attached()) return {};  // what is left of it goes
        return TrafficHook(*std::move(noted));
    }
    auto receive = folder.get(pin_name(ifindex, ingress.name));
    auto transmit = folder.get(pin_name(ifindex, egress.name));
    if (!receive || !transmit) return {};
    TrafficHook hook({std::move(receive).value(), std::move(transmit).value()});
    if (!hook.attached()) return {};
    return hook;
}

void TrafficHook::unpin(std::uint32_t ifindex, const PinFolder& folder) {
    for (const std::string_view what :
         {std::string_view(ingress.name), std::string_view(egress.name), clsact_note})
        folder.remove(pin_name(ifindex, what));
}

void TrafficHook::detach_all(const PinFolder& folder) {
    const auto control = TrafficControl::open(FilterHandle::of(folder));
    for (const auto& name : folder.names()) {
        if (!name.starts_with(pin_prefix)) continue;
        std::uint32_t ifindex = 0;
        std::from_chars(name.data() + pin_prefix.size(), name.data() + name.size(), ifindex);
        if (control) noted_hook(*control, ifindex, folder);  // and lets go of it
        unpin(ifindex, folder);
    }
}

void TrafficHook::leave() {
    if (auto* clsact = std::get_if<ClsactHook>(&hook_)) clsact->leave();
}

bool TrafficHook::attached() const {
    if (const auto* clsact = std::get_if<ClsactHook>(&hook_)) return clsact->attached();
    return std::ranges::all_of(std::get<TcxLinks>(hook_), is_alive);
}

}  // namespace wcs_node_agent
