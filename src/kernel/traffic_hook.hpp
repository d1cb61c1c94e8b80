// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/clsact_hook.hpp"
#include "kernel/pin_folder.hpp"
#include "kernel/traffic_control.hpp"
#include "kernel/traffic_programs.hpp"

#include <wcs_node_agent/descriptor.hpp>
#include <wcs_node_agent/result.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace wcs_node_agent {

/// Where the counting programs sit on an interface.
enum class HookKind {
    tcx,     // from Linux 6.6: a link that dies with its descriptor; needs no privilege to attach
    clsact,  // before: a filter of a qdisc, which stays until it is removed; needs CAP_NET_ADMIN
};

constexpr std::string_view to_string(HookKind kind) {
    return kind == HookKind::tcx ? "tcx" : "clsact";
}

/// The better kind that this kernel has.
HookKind best_hook_kind(const TrafficPrograms& programs);

/// The programs attached to one interface, in both directions, for as long as this lives. Where
/// filters are asked for, they are put there through `clsact`; null: TCX.
class TrafficHook {
 public:
    /// Errors name the direction and the kernel's reason; std::errc::no_such_device: the interface
    /// has gone.
    static Result<TrafficHook> attach(const std::shared_ptr<TrafficControl>& clsact,
                                      std::uint32_t ifindex, const TrafficPrograms& programs,
                                      HookOrder order = HookOrder::usual);

    /// Keeps the programs attached beyond this process, in the folder.
    Result<void> pin(std::uint32_t ifindex, const PinFolder& folder) const;

    /// What an earlier process has left attached to this interface; none if it is not there any
    /// more.
    static std::optional<TrafficHook> take_over(const std::shared_ptr<TrafficControl>& clsact,
                                                std::uint32_t ifindex, const PinFolder& folder);

    /// Forgets them in the folder: they end with their hook.
    static void unpin(std::uint32_t ifindex, const PinFolder& folder);

    /// Detaches whatever is pinned in the folder, of any interface.
    static void detach_all(const PinFolder& folder);

    /// From now on this leaves the programs where they are.
    void leave();

    /// Whether the programs are still there: clsact goes from an interface that leaves the
    /// namespace, and an operator may take them off.
    bool attached() const;

 private:
    using TcxLinks = std::array<Descriptor, 2>;  // ingress, egress

    explicit TrafficHook(TcxLinks links) : hook_(std::move(links)) {}
    explicit TrafficHook(ClsactHook hook) : hook_(std::move(hook)) {}

    std::variant<TcxLinks, ClsactHook> hook_;
};

}  // namespace wcs_node_agent
