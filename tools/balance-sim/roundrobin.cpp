// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/roundrobin.hpp"

#include <algorithm>

namespace wcs_node_agent::balance {

std::optional<ServerId> RoundRobin::pick(std::optional<ServerId> avoid) {
    if (sum_ == 0) return std::nullopt;
    if (!used_) {
        // The weights that were there at the start are those of the first round.
        used_ = true;
        round_ = position_ = sum_;
    }
    bool switched = false;
    std::optional<ServerId> chosen, avoided;
    std::vector<ServerId> passed_over;
    while (true) {
        if (round_ == 0) position_ = round_ = sum_;
        auto candidate = first_due();
        if (!candidate && !switched) {
            switched = true;
            switch_trees();
            candidate = first_due();
        }
        if (!candidate) {
            chosen = avoided;
            break;
        }
        advance(places_[*candidate]);
        remove(*candidate);
        ++position_;
        if (!servers_[*candidate].is_full()) {
            if (candidate != avoid || avoided) {
                chosen = candidate;
                break;
            }
            avoided = candidate;
        }
        passed_over.push_back(*candidate);
    }
    if (chosen) queue(*chosen);
    for (auto server = passed_over.rbegin(); server != passed_over.rend(); ++server) {
        if (chosen == *server) continue;
        if (switched)
            queue_by_weight(*server, init_);  // its place was in the round that is over
        else
            queue(*server);
    }
    return chosen;
}

void RoundRobin::set_weight(ServerId server, unsigned effective_weight) {
    auto& place = places_[server];
    if (place.weight == effective_weight) return;
    const bool was_usable = place.weight > 0;
    sum_ += static_cast<std::int64_t>(effective_weight) - place.weight;
    place.weight = effective_weight;
    if (!used_) {
        if (was_usable) remove(server);
        if (effective_weight > 0) queue_by_weight(server, init_);
        return;
    }
    if (effective_weight == 0) {
        remove(server);
        return;
    }
    if (!was_usable) {
        place.next = position_ + (sum_ + round_ - position_) / effective_weight;
        queue(server);
        return;
    }
    if (place.in == init_) {
        remove(server);
        queue_by_weight(server, init_);
        return;
    }
    // It comes no later than it would have, unless it is due just now: then a whole step later.
    prepare(place);
    const auto step = sum_ / effective_weight;
    place.next = std::min(place.last + step, place.next);
    place.remainder = 0;
    if (place.next < position_ + 2) place.next = position_ + step;
    remove(server);
    queue(server);
}

void RoundRobin::insert(ServerId server, In in, std::uint64_t key) {
    auto& place = places_[server];
    place.in = in;
    place.at = tree(in).emplace(key, inserted_++, server).first;
}

void RoundRobin::remove(ServerId server) {
    auto& place = places_[server];
    if (place.in == In::none) return;
    tree(place.in).erase(place.at);
    place.in = In::none;
}

/// Heavy ones first: that makes a smooth distribution.
void RoundRobin::queue_by_weight(ServerId server, In in) {
    insert(server, in, most_effective_weight - places_[server].weight);
}

void RoundRobin::queue(ServerId server) {
    auto& place = places_[server];
    if (place.next >= 2 * round_ || place.next >= round_ + sum_) {
        place.next -= round_;
        queue_by_weight(server, next_);
        return;
    }
    const auto finer = most_effective_weight + place.remainder - place.weight;
    insert(server, In::current,
           most_weight * static_cast<std::uint64_t>(place.next) + finer / weight_scale);
}

/// Positions in the tree for the next round are counted from that round's beginning.
void RoundRobin::prepare(Place& place) const {
    if (place.in == next_) place.next += round_;
}

/// The first of the round that is due; else one of the round before, which fills the hole.
std::optional<ServerId> RoundRobin::first_due() {
    const auto& current = tree(In::current);
    std::optional<ServerId> first;
    if (!current.empty()) {
        first = std::get<ServerId>(*current.begin());
        if (places_[*first].next <= position_) return first;
    }
    const auto& init = tree(init_);
    if (init.empty()) return first;
    const auto server = std::get<ServerId>(*init.begin());
    places_[server].next = 0;
    places_[server].remainder = 0;
    return server;
}

void RoundRobin::advance(Place& place) const {
    if (place.next == 0) place.next = position_;
    place.last = place.next;
    place.next += sum_ / place.weight;
    place.remainder += static_cast<std::uint64_t>(sum_ % place.weight);
    if (place.remainder >= place.weight) {
        place.remainder -= place.weight;
        ++place.next;
    }
}

void RoundRobin::switch_trees() {
    std::swap(init_, next_);
    round_ = position_ = sum_;
}

}  // namespace wcs_node_agent::balance
