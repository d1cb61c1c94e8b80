// SPDX-License-Identifier: Apache-2.0
#include "load/capacity.hpp"

#include <algorithm>
#include <set>

namespace wcs_node_agent {

namespace {

/// A bond or team reports what those of its ports carry that take part: of two cards of which one
/// stands by that is one card's speed.
const Link* bond_of(std::span<const Link> links, const Link& port) {
    const auto* master = find_link(links, port.master);
    return master && (master->kind == "bond" || master->kind == "team") ? master : nullptr;
}

std::optional<double> known(const LinkSpeeds& speeds, std::uint32_t index) {
    const auto found = speeds.find(index);
    return found == speeds.end() ? std::nullopt : std::optional<double>(found->second);
}

/// Interfaces whose speeds add up, and no more than some bound.
struct Bundle {
    std::optional<double> at_most;
    double sum = 0;
    std::vector<std::uint32_t> speedless;

    double capacity() const {
        const bool whole = speedless.empty() && sum > 0;
        return at_most && whole ? std::min(*at_most, sum) : at_most.value_or(sum);
    }
};

}  // namespace

std::vector<std::uint32_t> speeds_wanted(std::span<const Link> links,
                                         std::span<const std::uint32_t> selected) {
    std::set<std::uint32_t> wanted;
    for (const auto& link : links) {
        if (!std::ranges::binary_search(selected, link.index)) continue;
        wanted.insert(link.index);
        if (const auto* bond = bond_of(links, link)) wanted.insert(bond->index);
    }
    return {wanted.begin(), wanted.end()};
}

Capacity capacity_of(std::span<const Link> links, std::span<const std::uint32_t> selected,
                     const LinkSpeeds& speeds) {
    std::map<std::uint32_t, Bundle> bundles;  // by bond; 0: those that are in none
    for (const auto& link : links) {
        if (!std::ranges::binary_search(selected, link.index)) continue;
        const auto* bond = bond_of(links, link);
        auto& bundle = bundles[bond ? bond->index : 0];
        if (bond) bundle.at_most = known(speeds, bond->index);
        const auto speed = known(speeds, link.index);
        const bool waits_for_carrier = link.physical && !link.carrier;
        if (!speed && !waits_for_carrier) bundle.speedless.push_back(link.index);
        bundle.sum += speed.value_or(0);
    }
    Capacity capacity;
    double total = 0;
    for (const auto& [bond, bundle] : bundles) {
        if (!bundle.at_most)
            capacity.speedless.insert(capacity.speedless.end(), bundle.speedless.begin(),
                                      bundle.speedless.end());
        total += bundle.capacity();
    }
    std::ranges::sort(capacity.speedless);
    if (capacity.speedless.empty() && total > 0) capacity.megabits = total;
    return capacity;
}

bool has_share(const Limits& limits) {
    return std::ranges::any_of(
        limits, [](const Limit& limit) { return limit.maximum && limit.maximum->is_share; });
}

std::optional<double> effective_maximum(const Limit& limit, std::optional<double> capacity) {
    if (!limit.maximum) return std::nullopt;
    if (!limit.maximum->is_share) return limit.maximum->value;
    if (!capacity) return std::nullopt;
    return *capacity * limit.maximum->value / 100;
}

}  // namespace wcs_node_agent
