// SPDX-License-Identifier: Apache-2.0
#include "wcs/recount.hpp"

#include "wcs/page.hpp"
#include "wcs/poller.hpp"

#include <utility>

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
        next.fault = missing.empty() ? WcsFault::none : WcsFault::missing_name;
        next.fault_text = missing.empty() ? "" : missing_number_text(*polled.page, missing);
    }
    state_ = std::move(next);
}

}  // namespace wcs_node_agent
