// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/pin_folder.hpp"

#include <wcs_node_agent/descriptor.hpp>
#include <wcs_node_agent/result.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wcs_node_agent {

/// Where the counting programs sit on an interface.
enum class HookKind {
    tcx,     // from Linux 6.6: a link that dies with its descriptor; needs no privilege to attach
    clsact,  // before: a filter of a qdisc, which stays until it is removed; needs CAP_NET_ADMIN
};

constexpr std::string_view to_string(HookKind kind) {
    return kind == HookKind::tcx ? "tcx" : "clsact";
}

/// Where the programs stand among those of others on the interface.
enum class HookOrder {
    usual,  // first on ingress, last on egress: what other programs drop is as the wire saw it
    first,  // in both directions: nobody's verdict keeps frames from them
};

/// Descriptors of the loaded programs.
struct TrafficPrograms {
    int receive = -1;
    int transmit = -1;
};

/// The better kind that this kernel has.
HookKind best_hook_kind(const TrafficPrograms& programs);

/// The programs attached to one interface, in both directions, for as long as this lives.
class TrafficHook {
 public:
    /// Errors name the direction and the kernel's reason; std::errc::no_such_device: the interface
    /// has gone.
    static Result<TrafficHook> attach(HookKind kind, std::uint32_t ifindex,
                                      const TrafficPrograms& programs,
                                      HookOrder order = HookOrder::usual);

    TrafficHook(TrafficHook&& other) noexcept;
    TrafficHook& operator=(TrafficHook&& other) noexcept;
    ~TrafficHook();

    /// Keeps the programs attached beyond this process, in the folder.
    Result<void> pin(std::uint32_t ifindex, const PinFolder& folder) const;

    /// What an earlier process has left attached to this interface; none if it is not there any
    /// more.
    static std::optional<TrafficHook> take_over(HookKind kind, std::uint32_t ifindex,
                                                const PinFolder& folder);

    /// Forgets them in the folder: they end with their hook.
    static void unpin(std::uint32_t ifindex, const PinFolder& folder);

    /// Detaches whatever is pinned in the folder, of any interface.
    static void detach_all(const PinFolder& folder);

    /// From now on this leaves the programs where they are.
    void leave() { clsact_ifindex_ = 0; }

    /// Whether the programs are still there: clsact goes from an interface that leaves the
    /// namespace, and an operator may take them off.
    bool attached() const;

 private:
    TrafficHook() = default;

    std::array<Descriptor, 2> tcx_links_;
    std::uint32_t clsact_ifindex_ = 0;  // 0: nothing to remove
    bool clsact_created_ = false;
    std::array<std::uint16_t, 2> clsact_priorities_{};
};

}  // namespace wcs_node_agent
