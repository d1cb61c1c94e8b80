// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wcs_node_agent {

/// Whether an idle CPU halts with interrupts on, so that whatever interrupts it has run before its
/// idle state ends. True on guests of KVM that idle by HLT. Elsewhere it is false: states that
/// poll, or that are left with interrupts off (MWAIT, WFI), end before the interrupt runs.
bool idle_cpu_halts();

}  // namespace wcs_node_agent
