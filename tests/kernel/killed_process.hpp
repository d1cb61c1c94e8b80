// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace wcs_node_agent {

/// Runs the body in a process of its own that SIGKILL must end, by one of the calls below; throws
/// if it ends otherwise.
void in_killed_process(const std::function<void()>& body);

/// Ends the calling process by SIGKILL: no destructor runs.
[[noreturn]] void kill_this_process();

/// From now on the calling process is killed where it would make a symbolic link; the link is not
/// made.
void kill_this_process_at_symlink();

}  // namespace wcs_node_agent
