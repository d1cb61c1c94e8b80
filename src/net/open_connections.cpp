// SPDX-License-Identifier: Apache-2.0
#include "net/open_connections.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <tuple>
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

bool OpenConnections::Order::operator()(Sources::iterator one, Sources::iterator other) const {
    const auto rank = [](const Source& source) {
        const Slot& first = first_of(source);
        return std::make_tuple(~source.size, first.phase_, first.since_);  // the largest first
    };
    return rank(one->second) < rank(other->second);
}

/// The connection that it would lose first. It has one.
OpenConnections::Slot& OpenConnections::first_of(const Source& source) {
    return *std::ranges::find_if_not(source.by_phase, &Queue::empty)->front();
}

/// Changes a source's connections, and with them its rank. Allocates nothing.
template <class Change>
void OpenConnections::change(Sources::iterator source, Change change) {
    auto rank = ranking_.extract(source);
    change(source->second);
    ranking_.insert(std::move(rank));
}

OpenConnections::Slot::Slot(OpenConnections& connections, Sources::iterator source,
                            const address& from)
    : connections_(&connections), source_(source), address_(from), since_(++connections.changes_) {
    Queue own{this};  // what can fail comes before anything changes
    at_ = own.begin();
    Ranking first;
    if (source->second.size == 0) first.insert(source);
    const auto add = [&](Source& to) {
        Queue& queue = to.of(phase_);
        queue.splice(queue.end(), own);
        ++to.size;
    };
    ++connections.size_;
    if (first.empty()) {
        connections.change(source, add);
    } else {
        add(source->second);
        connections.ranking_.merge(first);
    }
}

OpenConnections::Slot::~Slot() { leave(); }

void OpenConnections::Slot::move_to(Phase phase) {
    if (!connections_ || phase == phase_) return;
    connections_->change(source_, [&](Source& source) {
        Queue& queue = source.of(phase);
        queue.splice(queue.end(), source.of(phase_), at_);
        phase_ = phase;
        since_ = ++connections_->changes_;
    });
}

void OpenConnections::Slot::leave() {
    auto* connections = std::exchange(connections_, nullptr);
    if (!connections) return;
    --connections->size_;
    auto rank = connections->ranking_.extract(source_);
    source_->second.of(phase_).erase(at_);
    if (--source_->second.size == 0)
        connections->sources_.erase(source_);
    else
        connections->ranking_.insert(std::move(rank));
}

void OpenConnections::Slot::close() {
    leave();
    if (const auto close = std::exchange(close_, {})) close();
}

/// Sessions that never ended are destroyed with the io_context, which may outlive the server.
OpenConnections::~OpenConnections() {
    for (auto& [address, source] : sources_)
        for (const Queue& queue : source.by_phase)
            for (Slot* slot : queue) slot->connections_ = nullptr;
}

void OpenConnections::evict_from(const Source& source) {
    ++evicted_;
    first_of(source).close();
}

std::unique_ptr<OpenConnections::Slot> OpenConnections::enter(const address& from) {
    const address source = source_of(from);
    const auto known = sources_.find(source);
    const std::size_t size = known == sources_.end() ? 0 : known->second.size;
    if (size > 0 && size >= limits_.per_source) {
        evict_from(known->second);
    } else if (size_ >= limits_.in_all && !ranking_.empty()) {
        const Source& largest = (*ranking_.begin())->second;
        evict_from(size == largest.size ? known->second : largest);
    }
    const auto entry = sources_.try_emplace(source).first;  // its last one may have been evicted
    return std::make_unique<Slot>(*this, entry, from);
}

void OpenConnections::close_unless(const std::function<bool(const address&)>& allowed) {
    std::vector<Slot*> leaving;
    for (const auto& [address, source] : sources_)
        for (const Queue& queue : source.by_phase)
            std::ranges::copy_if(queue, std::back_inserter(leaving),
                                 [&](const Slot* slot) { return !allowed(slot->address_); });
    for (Slot* slot : leaving) slot->close();
}

}  // namespace wcs_node_agent
