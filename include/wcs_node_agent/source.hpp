// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace wcs_node_agent {

/// Where the node's own figures come from.
enum class Source { ebpf, procfs };

/// What the operator asked for: auto_detect prefers eBPF and falls back, the others insist.
enum class SourceChoice { auto_detect, ebpf, procfs };

constexpr std::string_view to_string(Source source) {
    return source == Source::ebpf ? "ebpf" : "procfs";
}

}  // namespace wcs_node_agent
