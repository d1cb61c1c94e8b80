// SPDX-License-Identifier: Apache-2.0
#include "kernel/interface_table.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <net/if.h>

namespace wcs_node_agent {

namespace {

/// The kernel reads an entry while it is written: one store, never half of one.
void store(interface_entry& bucket, interface_entry entry) {
    std::atomic_ref(bucket).store(entry, std::memory_order_release);
}

}  // namespace

InterfaceTable::InterfaceTable(std::span<interface_entry> buckets, std::uint16_t slots)
    : buckets_(buckets) {
    std::vector<bool> taken(slots);
    for (const auto& bucket : buckets_)
        if (bucket.ifindex != 0 && bucket.slot < slots) taken[bucket.slot] = true;
    for (auto slot = slots; slot-- > UNPLACED_SLOT + 1;)
        if (!taken[slot]) free_slots_.push_back(slot);
}

std::optional<std::uint16_t> InterfaceTable::slot_of(std::uint32_t ifindex) const {
    const auto* bucket = bucket_of(ifindex, ifindex);
    if (!bucket) return std::nullopt;
    return bucket->slot;
}

std::vector<std::uint32_t> InterfaceTable::entered() const {
    std::vector<std::uint32_t> indexes;
    for (const auto& bucket : buckets_)
        if (bucket.ifindex != 0) indexes.push_back(bucket.ifindex);
    return indexes;
}

std::optional<std::uint16_t> InterfaceTable::enter(std::uint32_t ifindex, std::uint8_t l2_header) {
    auto* bucket = bucket_of(ifindex, 0);
    if (!bucket || free_slots_.empty()) return std::nullopt;
    const auto slot = free_slots_.back();
    free_slots_.pop_back();
    store(*bucket,
          {.ifindex = ifindex, .slot = slot, .l2_header = l2_header, .marks = marks_of(ifindex)});
    return slot;
}

void InterfaceTable::remove(std::uint32_t ifindex) {
    auto* bucket = bucket_of(ifindex, ifindex);
    if (!bucket) return;
    free_slots_.push_back(bucket->slot);
    store(*bucket, {});
}

void InterfaceTable::mark(std::span<const std::uint32_t> indexes, std::uint8_t marks) {
    marked_.assign(indexes.begin(), indexes.end());
    marks_ = marks;
    for (auto& bucket : buckets_) {
        if (bucket.ifindex == 0) continue;
        auto entry = bucket;
        entry.marks = marks_of(entry.ifindex);
        if (entry.marks != bucket.marks) store(bucket, entry);
    }
}

std::uint8_t InterfaceTable::marks_of(std::uint32_t ifindex) const {
    return std::ranges::binary_search(marked_, ifindex) ? marks_ : std::uint8_t{0};
}

/// The bucket in reach of the interface that the holder (0: nobody) sits in.
interface_entry* InterfaceTable::bucket_of(std::uint32_t ifindex, std::uint32_t holder) const {
    for (std::uint32_t probe = 0; probe < INTERFACE_PROBES; ++probe) {
        auto& bucket = buckets_[(ifindex + probe) % INTERFACE_BUCKETS];
        if (bucket.ifindex == holder) return &bucket;
    }
    return nullptr;
}

std::uint16_t slots_for_interfaces() {
    constexpr std::size_t least = 256;
    std::size_t interfaces = 0;
    const std::unique_ptr<struct ::if_nameindex, decltype(&::if_freenameindex)> list(
        ::if_nameindex(), ::if_freenameindex);
    for (auto* one = list.get(); one && one->if_index != 0; ++one) ++interfaces;
    return static_cast<std::uint16_t>(
        std::clamp<std::size_t>(std::bit_ceil(2 * interfaces), least, INTERFACE_BUCKETS));
}

}  // namespace wcs_node_agent
