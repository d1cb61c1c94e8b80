// SPDX-License-Identifier: Apache-2.0
#include "kernel/traffic_hook.hpp"

#include "kernel/netlink_error.hpp"
#include "kernel/netlink_request.hpp"

#include <cerrno>
#include <charconv>
#include <limits>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <memory>
#include <netinet/in.h>
#include <sstream>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

namespace wcs_node_agent {

namespace {

// Values of linux/bpf.h from Linux 6.6, not yet in the headers of every distribution.
constexpr auto tcx_ingress = static_cast<bpf_attach_type>(46);
constexpr auto tcx_egress = static_cast<bpf_attach_type>(47);
constexpr unsigned before_others = 1U << 3;  // BPF_F_BEFORE
constexpr unsigned after_others = 1U << 4;   // BPF_F_AFTER

/// Ours among the filters of an interface: a start replaces what a killed agent left there. First
/// on ingress and last on egress, so that what other filters drop is counted as the wire saw it.
constexpr unsigned filter_handle = 0x77636e61;
constexpr std::uint16_t first_priority = 1;
constexpr std::uint16_t last_priority = std::numeric_limits<std::uint16_t>::max();

struct Direction {
    const char* name;
    const char* program;
    bpf_attach_type tcx;
    unsigned tcx_order;  // the usual one, as is the priority
    bpf_tc_attach_point clsact;
    std::uint16_t priority;
    std::uint32_t parent;
};

constexpr Direction receive{.name = "ingress",
                            .program = "count_receive",
                            .tcx = tcx_ingress,
                            .tcx_order = before_others,
                            .clsact = BPF_TC_INGRESS,
                            .priority = first_priority,
                            .parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)};
constexpr Direction transmit{.name = "egress",
                             .program = "count_transmit",
                             .tcx = tcx_egress,
                             .tcx_order = after_others,
                             .clsact = BPF_TC_EGRESS,
                             .priority = last_priority,
                             .parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)};

std::string hook_name(HookKind kind, const Direction& direction) {
    return fmt::format("{} {}", to_string(kind), direction.name);
}

Result<Descriptor> attach_tcx(const Direction& direction, std::uint32_t ifindex, int program,
                              HookOrder order) {
    bpf_link_create_opts options{};
    options.sz = sizeof(options);
    options.flags = order == HookOrder::first ? before_others : direction.tcx_order;
    Descriptor link(bpf_link_create(program, static_cast<int>(ifindex), direction.tcx, &options));
    if (!link) return failure(hook_name(HookKind::tcx, direction), errno);
    return link;
}

bpf_tc_hook clsact_hook(std::uint32_t ifindex, bpf_tc_attach_point point) {
    bpf_tc_hook hook{};
    hook.sz = sizeof(hook);
    hook.ifindex = static_cast<int>(ifindex);
    hook.attach_point = point;
    return hook;
}

std::uint16_t priority_of(const Direction& direction, HookOrder order) {
    return order == HookOrder::first ? first_priority : direction.priority;
}

bpf_tc_opts filter_options(std::uint16_t priority) {
    bpf_tc_opts options{};
    options.sz = sizeof(options);
    options.handle = filter_handle;
    options.priority = priority;
    return options;
}

/// Not by libbpf, which asks for the program's name by bpf(2): before Linux 5.19 a process that has
/// given up its capabilities may not call that at all. Replaces what is there under the handle.
Result<void> attach_filter(const Direction& direction, std::uint32_t ifindex, int program,
                           std::uint16_t priority) {
    const std::unique_ptr<nl_sock, decltype(&nl_socket_free)> socket(nl_socket_alloc(),
                                                                     nl_socket_free);
    const std::unique_ptr<nl_msg, decltype(&nlmsg_free)> message(
        nlmsg_alloc_simple(RTM_NEWTFILTER, NLM_F_CREATE), nlmsg_free);
    const auto name = hook_name(HookKind::clsact, direction);
    if (!socket || !message) return failure(name, ENOMEM);
    tcmsg filter{};
    filter.tcm_family = AF_UNSPEC;
    filter.tcm_ifindex = static_cast<int>(ifindex);
    filter.tcm_handle = filter_handle;
    filter.tcm_parent = direction.parent;
    filter.tcm_info = TC_H_MAKE(static_cast<std::uint32_t>(priority) << 16U, htons(ETH_P_ALL));
    nlmsg_append(message.get(), &filter, sizeof(filter), NLMSG_ALIGNTO);
    nla_put_string(message.get(), TCA_KIND, "bpf");
    nlattr* options = nla_nest_start(message.get(), TCA_OPTIONS);
    nla_put_u32(message.get(), TCA_BPF_FD, static_cast<std::uint32_t>(program));
    nla_put_string(message.get(), TCA_BPF_NAME, direction.program);
    nla_put_u32(message.get(), TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
    nla_nest_end(message.get(), options);
    int error = nl_connect(socket.get(), NETLINK_ROUTE);
    if (error >= 0) error = nl_send_auto(socket.get(), message.get());
    if (error >= 0) error = nl_wait_for_ack(socket.get());
    if (error >= 0) return {};
    return failure(name, netlink_error(error));
}

void detach_filter(const Direction& direction, std::uint32_t ifindex, std::uint16_t priority) {
    const auto hook = clsact_hook(ifindex, direction.clsact);
    const auto options = filter_options(priority);
    bpf_tc_detach(&hook, &options);  // fails where the interface has gone, and the filter with it
}

/// A link whose interface has gone stays as a descriptor, of no interface.
bool is_alive(const Descriptor& tcx_link) {
    bpf_link_info info{};
    std::uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(tcx_link.get(), &info, &size) != 0) return false;
    return info.xdp.ifindex != 0;  // at the same place for TCX, which older headers do not name
}

bool has_filter(const Direction& direction, std::uint32_t ifindex, std::uint16_t priority) {
    const auto hook = clsact_hook(ifindex, direction.clsact);
    auto options = filter_options(priority);
    return bpf_tc_query(&hook, &options) == 0;
}

/// Whether anybody has a filter there. Unknown counts as yes.
bool has_filters(const Direction& direction, std::uint32_t ifindex) {
    const std::unique_ptr<nl_sock, decltype(&nl_socket_free)> socket(nl_socket_alloc(),
                                                                     nl_socket_free);
    if (!socket || nl_connect(socket.get(), NETLINK_ROUTE) < 0) return true;
    tcmsg wanted{};
    wanted.tcm_ifindex = static_cast<int>(ifindex);
    wanted.tcm_parent = direction.parent;
    bool found = false;
    const int error = dump(socket.get(), RTM_GETTFILTER, wanted, [&](nlmsghdr* message) {
        found |= message->nlmsg_type == RTM_NEWTFILTER;
    });
    return found || error < 0;
}

constexpr std::string_view pin_prefix = "interface-";

std::string pin_name(std::uint32_t ifindex, std::string_view what) {
    return fmt::format("{}{}-{}", pin_prefix, ifindex, what);
}

/// A note in place of links, which clsact has not; it says whether the qdisc is the agent's own.
constexpr std::string_view clsact_note = "clsact";

}  // namespace

HookKind best_hook_kind(const TrafficPrograms& programs) {
    // No interface has this index: a kernel that knows TCX looks for it (ENODEV), an older one
    // refuses the kind of link at once (EINVAL).
    constexpr int no_interface = std::numeric_limits<int>::max();
    const Descriptor link(bpf_link_create(programs.receive, no_interface, tcx_ingress, nullptr));
    return errno == ENODEV ? HookKind::tcx : HookKind::clsact;
}

Result<TrafficHook> TrafficHook::attach(HookKind kind, std::uint32_t ifindex,
                                        const TrafficPrograms& programs, HookOrder order) {
    TrafficHook hook;
    if (kind == HookKind::tcx) {
        auto ingress = attach_tcx(receive, ifindex, programs.receive, order);
        if (!ingress) return ingress.error();
        auto egress = attach_tcx(transmit, ifindex, programs.transmit, order);
        if (!egress) return egress.error();
        hook.tcx_links_ = {std::move(ingress).value(), std::move(egress).value()};
        return hook;
    }
    auto qdisc = clsact_hook(ifindex, BPF_TC_INGRESS);
    const int created = bpf_tc_hook_create(&qdisc);
    // EEXIST: there is a clsact already, of somebody else or of an agent that was killed.
    if (created != 0 && created != -EEXIST) return failure(hook_name(kind, receive), -created);
    hook.clsact_ifindex_ = ifindex;  // from here on the destructor has something to remove
    hook.clsact_created_ = created == 0;
    const auto [ingress, egress] =
        hook.clsact_priorities_ = {priority_of(receive, order), priority_of(transmit, order)};
    auto done = attach_filter(receive, ifindex, programs.receive, ingress);
    if (done) done = attach_filter(transmit, ifindex, programs.transmit, egress);
    if (!done) return done.error();
    return hook;
}

Result<void> TrafficHook::pin(std::uint32_t ifindex, const PinFolder& folder) const {
    unpin(ifindex, folder);
    if (clsact_ifindex_ != 0)
        return folder.note(pin_name(ifindex, clsact_note),
                           fmt::format("{} {} {}", clsact_created_ ? "created" : "found",
                                       clsact_priorities_[0], clsact_priorities_[1]));
    auto done = folder.pin(tcx_links_[0].get(), pin_name(ifindex, receive.name));
    if (done) done = folder.pin(tcx_links_[1].get(), pin_name(ifindex, transmit.name));
    if (!done) unpin(ifindex, folder);
    return done;
}

std::optional<TrafficHook> TrafficHook::take_over(HookKind kind, std::uint32_t ifindex,
                                                  const PinFolder& folder) {
    TrafficHook hook;
    if (kind == HookKind::clsact) {
        const auto note = folder.noted(pin_name(ifindex, clsact_note));
        std::istringstream words(note.value_or(""));
        std::string qdisc;
        if (!(words >> qdisc >> hook.clsact_priorities_[0] >> hook.clsact_priorities_[1]))
            return {};
        hook.clsact_ifindex_ = ifindex;
        hook.clsact_created_ = qdisc == "created";
        if (hook.attached()) return hook;
        hook.leave();
        return {};
    }
    auto ingress = folder.get(pin_name(ifindex, receive.name));
    auto egress = folder.get(pin_name(ifindex, transmit.name));
    if (!ingress || !egress) return {};
    hook.tcx_links_ = {std::move(ingress).value(), std::move(egress).value()};
    if (!hook.attached()) return {};
    return hook;
}

void TrafficHook::unpin(std::uint32_t ifindex, const PinFolder& folder) {
    for (const std::string_view what :
         {std::string_view(receive.name), std::string_view(transmit.name), clsact_note})
        folder.remove(pin_name(ifindex, what));
}

void TrafficHook::detach_all(const PinFolder& folder) {
    for (const auto& name : folder.names()) {
        if (!name.starts_with(pin_prefix)) continue;
        std::uint32_t ifindex = 0;
        std::from_chars(name.data() + pin_prefix.size(), name.data() + name.size(), ifindex);
        take_over(HookKind::clsact, ifindex, folder);  // and lets go of it: filters are removed
        unpin(ifindex, folder);
    }
}

TrafficHook::TrafficHook(TrafficHook&& other) noexcept
    : tcx_links_(std::move(other.tcx_links_)),
      clsact_ifindex_(std::exchange(other.clsact_ifindex_, 0)),
      clsact_created_(other.clsact_created_),
      clsact_priorities_(other.clsact_priorities_) {}

TrafficHook& TrafficHook::operator=(TrafficHook&& other) noexcept {
    std::swap(tcx_links_, other.tcx_links_);
    std::swap(clsact_ifindex_, other.clsact_ifindex_);
    std::swap(clsact_created_, other.clsact_created_);
    std::swap(clsact_priorities_, other.clsact_priorities_);
    return *this;
}

bool TrafficHook::attached() const {
    if (clsact_ifindex_ != 0)
        return has_filter(receive, clsact_ifindex_, clsact_priorities_[0]) &&
               has_filter(transmit, clsact_ifindex_, clsact_priorities_[1]);
    return is_alive(tcx_links_[0]) && is_alive(tcx_links_[1]);
}

TrafficHook::~TrafficHook() {
    if (clsact_ifindex_ == 0) return;
    detach_filter(receive, clsact_ifindex_, clsact_priorities_[0]);
    detach_filter(transmit, clsact_ifindex_, clsact_priorities_[1]);
    if (!clsact_created_ || has_filters(receive, clsact_ifindex_) ||
        has_filters(transmit, clsact_ifindex_))
        return;
    auto qdisc = clsact_hook(clsact_ifindex_,
                             static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
    bpf_tc_hook_destroy(&qdisc);
}

}  // namespace wcs_node_agent
