// SPDX-License-Identifier: Apache-2.0
#include "net/open_connections.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace wcs_node_agent {

namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v6;

}  // namespace

address source_of(const address& from) {
    if (from.is_v4()) return from;
    const address_v6 from_v6 = from.to_v6();
    if (from_v6.is_v4_mapped()) return make_address_v4(boost::asio::ip::v4_mapped, from_v6);
    auto bytes = from_v6.to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return address_v6(bytes, from_v6.scope_id());
}

OpenConnections::Slot::Slot(OpenConnections& connections, Sources::iterator source,
                            const address& from)
    : connections_(&connections), source_(source), address_(from) {
    Queue all{this};  // what can fail comes before anything changes
    Queue of_source{this};
    in_all_ = all.begin();
    in_source_ = of_source.begin();
    const auto append = [this](Queues& queues, Queue& one) {
        Queue& queue = queues.of(phase_);
        queue.splice(queue.end(), one);
    };
    append(connections_->queues_, all);
    append(source_->second.queues, of_source);
    ++connections_->size_;
    ++source_->second.size;
}

OpenConnections::Slot::~Slot() { leave(); }

void OpenConnections::Slot::move_to(Phase phase) {
    if (!connections_) return;
    const auto move = [&](Queues& queues, Queue::iterator at) {
        Queue& queue = queues.of(phase);
        queue.splice(queue.end(), queues.of(phase_), at);
    };
    move(connections_->queues_, in_all_);
    move(source_->second.queues, in_source_);
    phase_ = phase;
}

void OpenConnections::Slot::leave() {
    auto* connections = std::exchange(connections_, nullptr);
    if (!connections) return;
    connections->queues_.of(phase_).erase(in_all_);
    source_->second.queues.of(phase_).erase(in_source_);
    --connections->size_;
    if (--source_->second.size == 0) connections->sources_.erase(source_);
}

void OpenConnections::Slot::close() {
    leave();
    if (const auto close = std::exchange(close_, {})) close();
}

/// Sessions that never ended are destroyed with the io_context, which may outlive the server.
OpenConnections::~OpenConnections() {
    for (const Queue& queue : queues_.by_phase)
        for (Slot* slot : queue) slot->connections_ = nullptr;
}

void OpenConnections::evict_from(Queues& queues) {
    const auto queue = std::ranges::find_if_not(queues.by_phase, &Queue::empty);
    if (queue == queues.by_phase.end()) return;
    ++evicted_;
    queue->front()->close();
}

std::unique_ptr<OpenConnections::Slot> OpenConnections::enter(const address& from) {
    const address source = source_of(from);
    const auto known = sources_.find(source);
    if (known != sources_.end() && known->second.size >= limits_.per_source)
        evict_from(known->second.queues);
    if (size_ >= limits_.in_all) evict_from(queues_);
    const auto entry = sources_.try_emplace(source).first;  // its last one may have been evicted
    return std::make_unique<Slot>(*this, entry, from);
}

void OpenConnections::close_unless(const std::function<bool(const address&)>& allowed) {
    std::vector<Slot*> leaving;
    for (const Queue& queue : queues_.by_phase)
        std::ranges::copy_if(queue, std::back_inserter(leaving),
                             [&](const Slot* slot) { return !allowed(slot->address_); });
    for (Slot* slot : leaving) slot->close();
}

}  // namespace wcs_node_agent
