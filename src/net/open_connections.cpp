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

OpenConnections::Place::Place(OpenConnections& connections, Sources::iterator source,
                              const address& from)
    : connections_(&connections), source_(source), address_(from) {
    Queue all{this};  // what can fail comes before anything changes
    Queue of_source{this};
    in_all_ = all.begin();
    in_source_ = of_source.begin();
    const auto append = [this](Queues& queues, Queue& one) {
        queues[queue_].splice(queues[queue_].end(), one);
    };
    append(connections_->queues_, all);
    append(source_->second.queues, of_source);
    ++connections_->size_;
    ++source_->second.size;
}

OpenConnections::Place::~Place() { leave(); }

void OpenConnections::Place::move_to(std::size_t queue) {
    if (!connections_) return;
    const auto move = [&](Queues& queues, Queue::iterator at) {
        queues[queue].splice(queues[queue].end(), queues[queue_], at);
    };
    move(connections_->queues_, in_all_);
    move(source_->second.queues, in_source_);
    queue_ = queue;
}

void OpenConnections::Place::leave() {
    auto* connections = std::exchange(connections_, nullptr);
    if (!connections) return;
    connections->queues_[queue_].erase(in_all_);
    source_->second.queues[queue_].erase(in_source_);
    --connections->size_;
    if (--source_->second.size == 0) connections->sources_.erase(source_);
}

void OpenConnections::Place::drop() {
    leave();
    if (const auto close = std::exchange(drop_, {})) close();
}

/// Sessions that never ended go with the io_context, which may outlive the server.
OpenConnections::~OpenConnections() {
    for (const Queue& queue : queues_)
        for (Place* place : queue) place->connections_ = nullptr;
}

void OpenConnections::make_room_in(Queues& queues) {
    const auto queue = std::ranges::find_if(queues, [](const Queue& one) { return !one.empty(); });
    if (queue == queues.end()) return;
    ++displaced_;
    queue->front()->drop();
}

std::unique_ptr<OpenConnections::Place> OpenConnections::enter(const address& from) {
    const address source = source_of(from);
    const auto known = sources_.find(source);
    if (known != sources_.end() && known->second.size >= limits_.per_source)
        make_room_in(known->second.queues);
    if (size_ >= limits_.in_all) make_room_in(queues_);
    const auto entry = sources_.try_emplace(source).first;  // the last of it may just have gone
    return std::make_unique<Place>(*this, entry, from);
}

void OpenConnections::drop_unless(const std::function<bool(const address&)>& allowed) {
    std::vector<Place*> leaving;
    for (const Queue& queue : queues_)
        std::ranges::copy_if(queue, std::back_inserter(leaving),
                             [&](const Place* place) { return !allowed(place->address_); });
    for (Place* place : leaving) place->drop();
}

}  // namespace wcs_node_agent
