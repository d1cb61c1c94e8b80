// SPDX-License-Identifier: Apache-2.0
#include "daemon/interface_names.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wcs_node_agent {

namespace {

std::string existing_names(std::span<const Link> links) {
    constexpr std::size_t most = 20;
    std::vector<std::string_view> names;
    for (const auto& link : links) {
        if (link.loopback) continue;
        names.push_back(link.name);
        names.insert(names.end(), link.alternative_names.begin(), link.alternative_names.end());
    }
    if (names.empty()) return "there is none but loopback";
    const auto more = names.size() > most ? names.size() - most : 0;
    names.resize(names.size() - more);
    return fmt::format("there {} {}{}", names.size() == 1 ? "is" : "are", fmt::join(names, ", "),
                       more > 0 ? fmt::format(" and {} more", more) : "");
}

/// What `ip link` prints behind @ is the device below, or the other end.
std::string hint(const std::string& name) {
    const auto at = name.find('@');
    return at == std::string::npos
               ? std::string()
               : fmt::format("; \"{}\" is no part of the name", name.substr(at));
}

}  // namespace

ConfigErrors check_names(const Selection& selection, std::span<const Link> links) {
    ConfigErrors errors;
    for (const auto& name : selection.unmatched)
        errors.push_back({.where = "interface",
                          .what = fmt::format("no interface has the name \"{}\": {}{}", name,
                                              existing_names(links), hint(name)),
                          .key = "interface"});
    return errors;
}

}  // namespace wcs_node_agent
