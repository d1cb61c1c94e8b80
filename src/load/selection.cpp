// SPDX-License-Identifier: Apache-2.0
#include "load/selection.hpp"

#include <algorithm>
#include <fnmatch.h>

namespace wcs_node_agent {

namespace {

template <class Wanted>
std::vector<std::uint32_t> indexes_of(std::span<const Link> links, Wanted wanted) {
    std::vector<std::uint32_t> indexes;
    for (const auto& link : links)
        if (!link.loopback && wanted(link)) indexes.push_back(link.index);
    return indexes;
}

}  // namespace

std::vector<std::uint32_t> choose_interfaces(std::span<const Link> links,
                                             std::span<const std::string> globs) {
    if (!globs.empty())
        return indexes_of(links, [&](const Link& link) {
            return std::ranges::any_of(globs, [&](const std::string& glob) {
                return ::fnmatch(glob.c_str(), link.name.c_str(), 0) == 0;
            });
        });
    auto indexes = indexes_of(links, [](const Link& link) { return link.default_route; });
    if (indexes.empty())
        indexes = indexes_of(links, [](const Link& link) { return link.physical; });
    return indexes;
}

}  // namespace wcs_node_agent
