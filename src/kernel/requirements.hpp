// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace wcs_node_agent {

/// One thing that counting by eBPF needs of the kernel, or of the user that the agent runs as.
struct Requirement {
    std::string name;
    bool met = false;
    std::string found;   // what this machine has
    std::string remedy;  // what to do where it is not met; empty otherwise
};

/// What can be found out without loading a program: the kernel's version and types, the
/// capabilities, the bpf system call.
std::vector<Requirement> ebpf_requirements();

/// The unmet ones as one line: what is missing and how to grant it. Empty where all are met.
std::string missing(const std::vector<Requirement>& requirements);

}  // namespace wcs_node_agent
