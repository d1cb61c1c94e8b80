// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wcs_node_agent {

/// For a daemon, before its first thread. SIGHUP, SIGTERM and SIGINT wait from now on until
/// deliver_signals(): one that comes while the daemon starts is obeyed once it serves. What would
/// end or stop a process for what somebody else did (a reader that has gone, a log at its largest
/// size, a terminal) is ignored.
void hold_signals();

/// To their handlers, which must be installed by now. hold_signals() may come again.
void deliver_signals();

}  // namespace wcs_node_agent
