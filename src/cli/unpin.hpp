// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/config.hpp>

#include <iosfwd>

namespace wcs_node_agent {

/// `wcs-node-agent unpin`: removes what is left in this network namespace's folder. The exit
/// status.
int unpin_command(const Config& config, std::ostream& output, std::ostream& errors);

}  // namespace wcs_node_agent
