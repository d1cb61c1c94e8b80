// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/config_source.hpp"

namespace wcs_node_agent {

/// The daemon: samples, judges and serves until SIGTERM or SIGINT. Returns the exit status.
int run_daemon(const ConfigSource& source);

}  // namespace wcs_node_agent
