// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"
#include "load/selection.hpp"

#include <wcs_node_agent/link.hpp>

#include <span>

namespace wcs_node_agent {

/// One for each configured plain name that no interface has. A glob that matches nothing is none:
/// it may mean interfaces that appear later.
ConfigErrors check_names(const Selection& selection, std::span<const Link> links);

}  // namespace wcs_node_agent
