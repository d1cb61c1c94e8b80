// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "counters.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace wcs_node_agent {

/// The agent's side of the table in which the kernel programs look up where an interface counts.
class InterfaceTable {
 public:
    /// buckets: the kernel's memory, INTERFACE_BUCKETS entries, with those that an earlier process
    /// entered; slots: the first of them is UNPLACED_SLOT and never given away.
    InterfaceTable(std::span<interface_entry> buckets, std::uint16_t slots);

    /// The slot of a newly entered interface. None: no bucket in reach or no slot is free, and its
    /// frames count as unplaced.
    std::optional<std::uint16_t> enter(std::uint32_t ifindex, std::uint8_t l2_header);

    /// The slot of an interface that is there.
    std::optional<std::uint16_t> slot_of(std::uint32_t ifindex) const;

    /// The indexes of all that are there.
    std::vector<std::uint32_t> entered() const;

    /// Takes the interface out; its slot is free again.
    void remove(std::uint32_t ifindex);

    /// Marks these (ascending) with INTERFACE_* of counters.h, and no others: at once, or when they
    /// are entered.
    void mark(std::span<const std::uint32_t> indexes, std::uint8_t marks);

 private:
    interface_entry* bucket_of(std::uint32_t ifindex, std::uint32_t holder) const;
    std::uint8_t marks_of(std::uint32_t ifindex) const;

    std::span<interface_entry> buckets_;
    std::vector<std::uint16_t> free_slots_;
    std::vector<std::uint32_t> marked_;  // ascending
    std::uint8_t marks_ = 0;             // of each of these
};

/// How many slots to load the programs with, the first one included: twice as many as there are
/// interfaces now, in powers of two, as a slot takes 64 bytes of each CPU.
std::uint16_t slots_for_interfaces();

}  // namespace wcs_node_agent
