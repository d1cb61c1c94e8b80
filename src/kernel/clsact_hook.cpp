// SPDX-License-Identifier: Apache-2.0
#include "kernel/clsact_hook.hpp"

#include <algorithm>
#include <limits>
#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <span>
#include <sstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

struct FilterDirection {
    const char* name;
    const char* program;
    std::uint32_t parent;
    bool usually_first;
};

constexpr std::array<FilterDirection, 2> filter_directions{
    {{.name = "clsact ingress",
      .program = "count_receive",
      .parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
      .usually_first = true},
     {.name = "clsact egress",
      .program = "count_transmit",
      .parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
      .usually_first = false}}};

constexpr std::uint16_t highest_priority = 1;
constexpr std::uint16_t lowest_priority = std::numeric_limits<std::uint16_t>::max();

/// The free priority before all others, or after them. Filters of another kind or protocol take
/// theirs for themselves.
std::optional<std::uint16_t> free_priority(std::span<const ListedFilter> filters, bool first) {
    const auto is_free = [&](std::uint16_t priority) {
        return std::ranges::none_of(filters, [&](const ListedFilter& filter) {
            return filter.chain == 0 && filter.priority == priority &&
                   (filter.kind != "bpf" || filter.protocol != ETH_P_ALL);
        });
    };
    for (auto distance = 0; distance <= lowest_priority - highest_priority; ++distance) {
        const auto priority = static_cast<std::uint16_t>(first ? highest_priority + distance
                                                               : lowest_priority - distance);
        if (is_free(priority)) return priority;
    }
    return std::nullopt;
}

/// Sees to it that there is a clsact. True: it was added.
Result<bool> ensure_clsact(TrafficControl& control, std::uint32_t ifindex) {
    auto added = control.add_clsact(ifindex);
    if (!added || *added) return added;
    const auto found = control.ingress_qdisc(ifindex);
    if (!found) return found.error();
    if (*found != IngressQdisc::ingress) return false;  // none: gone again, as the next step finds
    return Error{
        "an ingress qdisc is there, which has no egress: put a clsact in its place, which takes "
        "the same ingress filters (tc qdisc del dev INTERFACE ingress, tc qdisc add dev INTERFACE "
        "clsact)",
        std::make_error_code(std::errc::device_or_resource_busy)};
}

}  // namespace

ClsactHook::ClsactHook(std::shared_ptr<TrafficControl> control, std::uint32_t ifindex,
                       bool added_qdisc)
    : control_(std::move(control)), ifindex_(ifindex), added_qdisc_(added_qdisc) {}

Result<ClsactHook> ClsactHook::attach(const std::shared_ptr<TrafficControl>& control,
                                      std::uint32_t ifindex, const TrafficPrograms& programs,
                                      HookOrder order) {
    // Another agent may remove the qdisc that it has added, before it has filters of ours.
    for (int attempts_left = 3;; --attempts_left) {
        const auto added_qdisc = ensure_clsact(*control, ifindex);
        if (!added_qdisc) return added_qdisc.error();
        ClsactHook hook(control, ifindex, *added_qdisc);
        auto done = hook.add(0, programs.receive, order);
        if (done) done = hook.add(1, programs.transmit, order);
        if (done) return hook;
        const auto found = control->ingress_qdisc(ifindex);
        if (attempts_left == 1 || !found || *found != IngressQdisc::none) return done.error();
    }
}

Result<void> ClsactHook::add(std::size_t direction, int program, HookOrder order) {
    const auto& [name, program_name, parent, usually_first] = filter_directions[direction];
    auto listed = control_->filters(ifindex_, parent);
    if (!listed) return listed.error();
    for (const auto& filter : *listed) {
        if (filter.chain != 0 || filter.kind != "bpf") continue;
        if (filter.handle == control_->handle() || FilterHandle::is_left_over(filter.handle))
            control_->remove_filter({.ifindex = ifindex_,
                                     .parent = parent,
                                     .priority = filter.priority,
                                     .handle = filter.handle});
    }
    const auto priority = free_priority(*listed, usually_first || order == HookOrder::first);
    if (!priority) return Error{fmt::format("{}: no priority is free", name)};
    auto& filter = filters_[direction];
    filter.at = {
        .ifindex = ifindex_, .parent = parent, .priority = *priority, .handle = control_->handle()};
    if (const auto added = control_->add_filter(filter.at, program, program_name); !added)
        return Error{fmt::format("{}: {}", name, added.error().what), added.error().code};
    const auto id = control_->program_id(filter.at);
    if (!id) return Error{fmt::format("{}: the filter is gone again", name)};
    filter.program = *id;
    return {};
}

std::optional<ClsactHook> ClsactHook::from_note(std::shared_ptr<TrafficControl> control,
                                                std::uint32_t ifindex, const std::string& note) {
    std::istringstream words(note);
    std::string qdisc;
    std::uint32_t handle = 0;
    words >> qdisc >> handle;
    ClsactHook hook(std::move(control), ifindex, qdisc == "added");
    for (std::size_t direction = 0; direction < filter_directions.size(); ++direction) {
        auto& [at, program] = hook.filters_[direction];
        at = {.ifindex = ifindex, .parent = filter_directions[direction].parent, .handle = handle};
        words >> at.priority >> program;
    }
    if (words) return hook;
    hook.leave();
    return std::nullopt;
}

std::string ClsactHook::note() const {
    const auto& [ingress, egress] = filters_;
    return fmt::format("{} {} {} {} {} {}", added_qdisc_ ? "added" : "found", ingress.at.handle,
                       ingress.at.priority, ingress.program, egress.at.priority, egress.program);
}

bool ClsactHook::is_there(const Filter& filter) const {
    return filter.program != 0 && control_->program_id(filter.at) == filter.program;
}

bool ClsactHook::attached() const {
    return std::ranges::all_of(filters_, [&](const Filter& filter) { return is_there(filter); });
}

/// Unknown counts as yes.
bool ClsactHook::anybody_is_there() const {
    return std::ranges::any_of(filter_directions, [&](const FilterDirection& direction) {
        const auto filters = control_->filters(ifindex_, direction.parent);
        return !filters || !filters->empty();
    });
}

ClsactHook& ClsactHook::operator=(ClsactHook&& other) noexcept {
    std::swap(control_, other.control_);
    std::swap(ifindex_, other.ifindex_);
    std::swap(added_qdisc_, other.added_qdisc_);
    std::swap(filters_, other.filters_);
    return *this;
}

ClsactHook::~ClsactHook() {
    if (!control_) return;
    for (const auto& filter : filters_)
        if (is_there(filter)) control_->remove_filter(filter.at);
    if (added_qdisc_ && !anybody_is_there()) control_->remove_clsact(ifindex_);
}

}  // namespace wcs_node_agent
