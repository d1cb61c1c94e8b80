// SPDX-License-Identifier: Apache-2.0
#include "load/page_value.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wcs_node_agent {

namespace {

Result<double> sum(const std::vector<std::string>& keys, const WcsPage& page) {
    double total = 0;
    for (const auto& key : keys) {
        const auto found = page.numbers.find(key);
        if (page.disputed.contains(key))
            return Error{fmt::format("the page has different numbers named '{}'", key)};
        if (found == page.numbers.end())
            return Error{fmt::format("the page has no number named '{}'", key)};
        total += found->second;
    }
    return total;
}

}  // namespace

Result<double> page_value(const Limit& limit, const WcsPage& page) {
    auto value = sum(limit.keys, page);
    if (!value || limit.of.empty()) return value;
    auto whole = sum(limit.of, page);
    if (!whole) return whole;
    if (*whole <= 0)
        return Error{fmt::format("{} on the page is {:g}, and nothing is a share of that",
                                 fmt::join(limit.of, " + "), *whole)};
    return *value / *whole * 100;
}

}  // namespace wcs_node_agent
