// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/wcs_state.hpp>

namespace wcs_node_agent {

/// Counts what the poller has by other names: the page is fetched and parsed once, whoever counts
/// in it. The last value of a count is remembered as the poller does.
class Recount {
 public:
    void count(const WcsState& polled, const CountNames& names);

    /// What was polled, with these counts, and with a missing name of these as its fault.
    const WcsState& state() const { return state_; }

 private:
    WcsState state_;
};

}  // namespace wcs_node_agent
