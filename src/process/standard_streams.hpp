// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wcs_node_agent {

/// Opens /dev/null as each of the descriptors 0, 1 and 2 that is closed, before anything else is
/// opened: it would get that number, and what is printed with it.
void open_standard_streams();

}  // namespace wcs_node_agent
