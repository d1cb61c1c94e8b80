// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"

#include <wcs_node_agent/config.hpp>

#include <string>
#include <vector>

namespace wcs_node_agent {

/// What `run` would refuse of a configuration on this host though it is right in itself: names that
/// no interface has, a share of a speed that is not known, a user that is not there. Nothing where
/// the kernel does not list its interfaces.
ConfigErrors check_on_this_host(const Config& config);

/// What `run` would start with, and a reload would not, one line each: files that this process may
/// read and the user that root's becomes may not.
std::vector<std::string> warnings_on_this_host(const Config& config);

}  // namespace wcs_node_agent
