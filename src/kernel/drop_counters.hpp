// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "counters.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

struct btf;  // libbpf

namespace wcs_node_agent {

/// The kernel's names of the reasons for which it drops frames (enum skb_drop_reason), by value, in
/// lower case and without prefix; empty for values that have none. None at all: it gives no reasons
/// (before Linux 5.17).
std::vector<std::string> drop_reason_names(const btf* kernel_types);

/// Reads what the kernel programs count of dropped frames, by reason.
class DropCounters {
 public:
    /// counters: one a possible CPU; names: by reason.
    DropCounters(std::span<const drop_counters> counters, std::vector<std::string> names)
        : counters_(counters), names_(std::move(names)), last_(counters.size()) {}

    /// Frames by reason, only those that occurred. At most most_reasons have a name of their own,
    /// those that occurred first; the others, and those without a name, are `other`.
    const std::map<std::string, std::uint64_t>& read();

    static constexpr std::size_t most_reasons = 64;

 private:
    void add(std::size_t reason, std::uint64_t frames);

    struct LastReading {
        // What was read, whatever the kernel's sum said: on ARM that may be seen before its parts.
        std::uint64_t all = 0;
        std::vector<std::uint64_t> by_reason = {};  // empty: nothing was dropped yet
    };

    std::span<const drop_counters> counters_;
    std::vector<std::string> names_;
    std::vector<LastReading> last_;  // by CPU
    std::map<std::string, std::uint64_t> frames_;
};

}  // namespace wcs_node_agent
