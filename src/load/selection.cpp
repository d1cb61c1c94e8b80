// SPDX-License-Identifier: Apache-2.0
#include "load/selection.hpp"

#include <algorithm>
#include <fnmatch.h>
#include <map>
#include <optional>
#include <set>

namespace wcs_node_agent {

namespace {

using Indexes = std::set<std::uint32_t>;

/// Which interface stands on which. A frame crosses an interface and those below it, and is counted
/// on each.
class Stack {
 public:
    explicit Stack(std::span<const Link> links) {
        for (const auto& link : links) {
            links_.emplace(link.index, &link);
            if (link.master != 0) ports_[link.master].insert(link.index);
        }
    }

    /// The lowest below an interface, or itself: where its frames meet the wire.
    const Indexes& lowest(std::uint32_t index) {
        const auto [known, is_new] = lowest_.try_emplace(index);
        // One that is still being worked out stands in a circle, and adds nothing to it.
        if (!is_new) return known->second;
        Indexes found;
        for (const auto below : directly_below(index)) found.merge(Indexes(lowest(below)));
        if (found.empty()) found.insert(index);
        return lowest_[index] = std::move(found);
    }

    /// The nearest of some interfaces that sees the frames of this one as well, if any does.
    std::optional<std::uint32_t> nearest_below(std::uint32_t index, const Indexes& among) {
        Indexes seen{index};
        for (Indexes level{index}; !level.empty();) {
            Indexes next;
            for (const auto one : level) next.merge(seeing_frames_of(one));
            for (const auto one : next)
                if (one != index && among.contains(one)) return one;
            std::erase_if(next, [&](auto one) { return !seen.insert(one).second; });
            level = std::move(next);
        }
        return std::nullopt;
    }

 private:
    const Link* find(std::uint32_t index) const {
        const auto found = links_.find(index);
        return found == links_.end() ? nullptr : found->second;
    }

    bool is_kind(std::uint32_t index, std::string_view kind) const {
        const auto* link = find(index);
        return link && link->kind == kind;
    }

    Indexes ports(std::uint32_t master) const {
        const auto found = ports_.find(master);
        return found == ports_.end() ? Indexes{} : found->second;
    }

    /// A device below that is not seen here, as it is in another namespace, is none.
    Indexes lower(const Link& link) const {
        Indexes below(link.underlay.begin(), link.underlay.end());
        below.insert(link.lower);
        std::erase_if(below, [&](auto index) {
            const auto* one = find(index);
            return !one || one->loopback;
        });
        if (!below.empty()) return below;
        // A driver's device that takes another one in (Hyper-V's and virtio's virtual functions)
        // sees all frames of it under its own name, and has more beside them.
        const auto* master = find(link.master);
        if (master && master->physical) return {link.master};
        return {};
    }

    Indexes directly_below(std::uint32_t index) {
        const auto* link = find(index);
        if (!link) return {};
        // All ports of a VRF: which of them its own default route takes stands in its own table.
        if (link->kind == "bond" || link->kind == "team" || link->kind == "vrf")
            return ports(index);
        if (link->kind == "bridge") return ports_with_wire(index);
        return lower(*link);
    }

    /// A bridge meets the wire on its physical ports. Its others lead to guests of this machine,
    /// who speak to the world through the physical ones; where there are only such, the bridge
    /// itself is all that the machine and its guests exchange.
    Indexes ports_with_wire(std::uint32_t bridge) {
        auto found = ports(bridge);
        std::erase_if(found, [&](auto port) { return !has_wire(port); });
        return found;
    }

    bool has_wire(std::uint32_t index) {
        return std::ranges::any_of(lowest(index), [&](auto one) {
            const auto* link = find(one);
            return link && link->physical;
        });
    }

    /// One step down. Unlike on the way to the wire, a bridge stands above each of its ports, and
    /// those of guests above the ones through which their frames leave.
    Indexes seeing_frames_of(std::uint32_t index) {
        auto found = directly_below(index);
        if (is_kind(index, "bridge")) found.merge(ports(index));
        const auto* link = find(index);
        if (link && is_kind(link->master, "bridge") && !has_wire(index))
            found.merge(ports_with_wire(link->master));
        return found;
    }

    std::map<std::uint32_t, const Link*> links_;
    std::map<std::uint32_t, Indexes> ports_;
    std::map<std::uint32_t, Indexes> lowest_;
};

template <class Wanted>
Indexes indexes_of(std::span<const Link> links, Wanted wanted) {
    Indexes indexes;
    for (const auto& link : links)
        if (!link.loopback && wanted(link)) indexes.insert(link.index);
    return indexes;
}

bool matches(const std::string& glob, const Link& link) {
    const auto is_match = [&](const std::string& name) {
        return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
    };
    return is_match(link.name) || std::ranges::any_of(link.alternative_names, is_match);
}

struct Wanted {
    SelectedBy reason;
    Indexes interfaces;
};

Wanted wanted_interfaces(Stack& stack, std::span<const Link> links,
                         std::span<const std::string> globs) {
    if (!globs.empty()) {
        const auto matches_any = [&](const Link& link) {
            return std::ranges::any_of(globs, [&](auto& glob) { return matches(glob, link); });
        };
        return {.reason = SelectedBy::name, .interfaces = indexes_of(links, matches_any)};
    }
    Indexes wires;
    for (const auto index : indexes_of(links, [](const Link& link) { return link.default_route; }))
        wires.merge(Indexes(stack.lowest(index)));
    if (!wires.empty()) return {.reason = SelectedBy::route, .interfaces = std::move(wires)};
    return {.reason = SelectedBy::physical,
            .interfaces = indexes_of(links, [](const Link& link) { return link.physical; })};
}

std::vector<std::string> unmatched_names(std::span<const Link> links,
                                         std::span<const std::string> globs) {
    std::vector<std::string> names;
    for (const auto& glob : globs)
        if (is_plain_name(glob) &&
            std::ranges::none_of(links, [&](const Link& link) { return matches(glob, link); }))
            names.push_back(glob);
    return names;
}

}  // namespace

bool is_plain_name(const std::string& glob) {
    return glob.find_first_of("*?[\\") == std::string::npos;
}

Selection select_interfaces(std::span<const Link> links, std::span<const std::string> globs) {
    Stack stack(links);
    const auto [reason, wanted] = wanted_interfaces(stack, links, globs);
    auto selected = wanted;
    for (const auto index : wanted)
        if (stack.nearest_below(index, selected)) selected.erase(index);
    Selection selection{.selected = {selected.begin(), selected.end()},
                        .unmatched = unmatched_names(links, globs),
                        .reason = reason};
    for (const auto index : wanted)
        if (!selected.contains(index))
            selection.left_out.push_back(
                {.index = index, .counted_on = stack.nearest_below(index, selected).value_or(0)});
    return selection;
}

}  // namespace wcs_node_agent
