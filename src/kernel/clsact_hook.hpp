// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/traffic_control.hpp"
#include "kernel/traffic_programs.hpp"

#include <wcs_node_agent/result.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace wcs_node_agent {

/// The programs as filters of an interface's clsact qdisc, for as long as this lives. Filters of
/// others stay as they are; the qdisc goes with the last filter if this hook has added it.
class ClsactHook {
 public:
    /// Replaces what a process that has ended left there.
    static Result<ClsactHook> attach(const std::shared_ptr<TrafficControl>& control,
                                     std::uint32_t ifindex, const TrafficPrograms& programs,
                                     HookOrder order);

    /// A hook by its note(), whether or not its filters are still there.
    static std::optional<ClsactHook> from_note(std::shared_ptr<TrafficControl> control,
                                               std::uint32_t ifindex, const std::string& note);

    ClsactHook(ClsactHook&&) = default;
    ClsactHook& operator=(ClsactHook&& other) noexcept;
    ~ClsactHook();

    /// A few words from which another process can go on with it.
    std::string note() const;

    /// From now on this leaves the filters where they are.
    void leave() { control_.reset(); }

    /// Whether both filters are there, with the programs that were attached.
    bool attached() const;

 private:
    struct Filter {
        FilterPosition at;
        std::uint32_t program = 0;  // its id
    };

    ClsactHook(std::shared_ptr<TrafficControl> control, std::uint32_t ifindex, bool added_qdisc);

    Result<void> add(std::size_t direction, int program, HookOrder order);
    bool is_there(const Filter& filter) const;
    bool anybody_is_there() const;

    std::shared_ptr<TrafficControl> control_;  // null: nothing to remove
    std::uint32_t ifindex_;
    bool added_qdisc_;
    std::array<Filter, 2> filters_;  // ingress, egress
};

}  // namespace wcs_node_agent
