// SPDX-License-Identifier: Apache-2.0
#include "wcs/recount.hpp"

#include "wcs/page.hpp"
#include "wcs/poller.hpp"

#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {

void Recount::count(const WcsState& polled, const CountNames& names) {
    WcsState next = polled;
    next.counts = polled.page_at ? count_streams(*polled.page, names) : StreamCounts();
    next.publishers = state_.publishers;
    next.subscribers = state_.subscribers;
    next.hls = state_.hls;
    if (polled.page_at) hold_counts(next, *polled.page_at + polled.page_pause);
    if (polled.up()) {
        const auto& missing = next.counts.missing;
        const bool is_disputed = polled.page->disputed.contains(missing);
        next.fault = missing.empty() ? WcsFault::none : WcsFault::missing_name;
        next.fault_text = missing.empty() ? ""
                          : is_disputed
                              ? fmt::format("the page has different numbers named '{}'", missing)
                              : fmt::format("the page has no number named '{}'", missing);
    }
    state_ = std::move(next);
}

}  // namespace wcs_node_agent
