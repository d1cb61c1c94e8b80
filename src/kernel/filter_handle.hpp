// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/pin_folder.hpp"

#include <wcs_node_agent/descriptor.hpp>

#include <cstdint>

namespace wcs_node_agent {

/// The handle of this process's clsact filters among those of an interface. Agents of one network
/// namespace have different ones, so that none replaces or removes another's.
class FilterHandle {
 public:
    /// A handle that is held for as long as this lives. A killed process frees it by its end, and
    /// who claims it next replaces the filters that were left under it. Where all are taken, a
    /// random one, which is logged: what a killed process leaves under that stays.
    static FilterHandle claim();

    /// The handle of filters that outlive the process in this folder, which one process holds.
    static FilterHandle of(const PinFolder& folder);

    /// Whether claim() gave it to a process that has ended.
    static bool is_left_over(std::uint32_t handle);

    std::uint32_t value() const { return value_; }

 private:
    FilterHandle(std::uint32_t value, Descriptor holder)
        : value_(value), holder_(std::move(holder)) {}

    std::uint32_t value_;
    Descriptor holder_;
};

}  // namespace wcs_node_agent
