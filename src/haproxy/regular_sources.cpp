// SPDX-License-Identifier: Apache-2.0
#include "haproxy/regular_sources.hpp"

#include <algorithm>

namespace wcs_node_agent {

void RegularSources::add(const boost::asio::ip::address& source, Clock::time_point now) {
    const auto is_it = [&](const Source& one) { return one.asked > 0 && one.address == source; };
    auto found = std::ranges::find_if(sources_, is_it);
    const bool is_new = found == sources_.end();
    if (is_new) found = std::ranges::min_element(sources_, {}, &Source::last);
    const bool begins = is_new || now - found->last > remembered;
    if (begins)
        *found = {source, now, 1};
    else
        *found = {source, now, std::min(found->asked + 1, regular),
                  std::max<std::chrono::nanoseconds>(found->longest, now - found->last)};
}

std::size_t RegularSources::count(Clock::time_point now) const {
    return static_cast<std::size_t>(std::ranges::count_if(sources_, [now](const Source& one) {
        return one.asked >= regular && now - one.last <= remembered;
    }));
}

std::size_t RegularSources::count_silent(Clock::time_point since, Clock::time_point now) const {
    return static_cast<std::size_t>(std::ranges::count_if(sources_, [&](const Source& one) {
        constexpr std::chrono::nanoseconds at_least = std::chrono::seconds(1);
        const auto expected =
            std::min<std::chrono::nanoseconds>(at_least + 3 * one.longest, longest_interval);
        return one.asked >= regular && one.last < since && now - one.last <= expected;
    }));
}

}  // namespace wcs_node_agent
