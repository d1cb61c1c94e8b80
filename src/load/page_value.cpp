// SPDX-License-Identifier: Apache-2.0
#include "load/page_value.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wcs_node_agent {

Result<double> page_sum(const std::vector<std::string>& names, const WcsPage& page) {
    double total = 0;
    for (const auto& name : names) {
        const auto found = page.numbers.find(name);
        if (page.disputed.contains(name))
            return Error{fmt::format("the page has different numbers named '{}'", name)};
        if (found == page.numbers.end())
            return Error{fmt::format("the page has no number named '{}'", name)};
        total += found->second;
    }
    return total;
}

Result<double> page_value(const Limit& limit, const WcsPage& page) {
    auto value = page_sum(limit.keys, page);
    if (!value || limit.of.empty()) return value;
    auto whole = page_sum(limit.of, page);
    if (!whole) return whole;
    if (*whole <= 0)
        return Error{fmt::format("{} on the page is {:g}, and nothing is a share of that",
                                 fmt::join(limit.of, " + "), *whole)};
    return *value / *whole * 100;
}

}  // namespace wcs_node_agent
