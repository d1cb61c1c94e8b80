// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/wcs_state.hpp>

#include <string>

namespace wcs_node_agent {

/// Why there is no page: the kind for metrics, one line of ASCII for people.
struct FetchError {
    WcsFault fault = WcsFault::none;
    std::string text;
    bool silent = false;  // nothing came, or not in time
    unsigned status = 0;  // of an HTTP answer that has no page; 0: there was none
};

}  // namespace wcs_node_agent
