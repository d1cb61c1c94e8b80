// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/pin_folder.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <optional>
#include <ostream>

namespace wcs_node_agent {

/// The folder that kernel.pin asks for, held by this process. None: it is off, or there is no place
/// for it, which is logged; where it is off, what an earlier agent left there is removed. The
/// error: another agent of this network namespace runs.
Result<std::optional<PinFolder>> prepare_pinning(const Config& config);

/// `wcs-node-agent unpin`: removes what is left in this network namespace's folder. The exit
/// status.
int unpin_command(const Config& config, std::ostream& output, std::ostream& errors);

}  // namespace wcs_node_agent
