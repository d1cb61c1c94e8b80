// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wcs_node_agent {

/// Takes the text and constants of the program and of its libraries out of this process: pages that
/// are used again come back from the page cache, those that only the start needed stay away.
void release_program_text();

}  // namespace wcs_node_agent
