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
    *found = {source, now, begins ? 1 : std::min(found->asked + 1, regular)};
}

std::size_t RegularSources::count(Clock::time_point now) const {
    return static_cast<std::size_t>(std::ranges::count_if(sources_, [now](const Source& one) {
        return one.asked >= regular && now - one.last <= remembered;
    }));
}

}  // namespace wcs_node_agent
