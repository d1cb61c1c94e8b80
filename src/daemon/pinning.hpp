// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/pin_folder.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>

#include <optional>

namespace wcs_node_agent {

/// The folder that kernel.pin asks for, held by this process. None: it is off, or there is no place
/// for it, which is logged; where it is off, what an earlier agent left there is removed. The
/// error: another agent of this network namespace runs.
Result<std::optional<PinFolder>> prepare_pinning(const Config& config);

/// That another agent of this network namespace holds the folder.
Error pin_folder_is_held(const Config& config);

}  // namespace wcs_node_agent
