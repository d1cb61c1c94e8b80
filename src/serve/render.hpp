// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/snapshot.hpp>

namespace wcs_node_agent {

/// The bytes that clients get, from the rest of the snapshot.
Rendered render(const Snapshot& snapshot);

}  // namespace wcs_node_agent
