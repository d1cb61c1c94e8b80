// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "wcs/poller.hpp"

#include <wcs_node_agent/config.hpp>

namespace wcs_node_agent {

/// What the poller needs of the configuration, with wcs_ca_file read if the page is https. At a
/// reload `in_use` is the trust that is used now: where this user may not read the same file any
/// more, it stays, which is logged.
Checked<WcsSettings> load_wcs_settings(const Config& config, const TlsTrust* in_use = nullptr);

}  // namespace wcs_node_agent
