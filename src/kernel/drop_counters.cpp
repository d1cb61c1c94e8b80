// SPDX-License-Identifier: Apache-2.0
#include "kernel/drop_counters.hpp"

#include "kernel/traffic_sources.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

#include <bpf/btf.h>

namespace wcs_node_agent {

std::vector<std::string> drop_reason_names(const btf* kernel_types) {
    std::vector<std::string> names;
    const int id = btf__find_by_name_kind(kernel_types, "skb_drop_reason", BTF_KIND_ENUM);
    if (id < 0) return names;
    const auto* reasons = btf__type_by_id(kernel_types, static_cast<std::uint32_t>(id));
    names.resize(DROP_REASONS);
    for (const auto& reason : std::span(btf_enum(reasons), btf_vlen(reasons))) {
        std::string_view name = btf__name_by_offset(kernel_types, reason.name_off);
        if (reason.val < 0 || reason.val >= OTHER_DROP_REASON) continue;  // a subsystem's: no bound
        for (const std::string_view prefix : {"SKB_DROP_REASON_", "SKB_"})
            if (name.starts_with(prefix)) {
                name.remove_prefix(prefix.size());
                break;
            }
        auto& lower = names[static_cast<std::size_t>(reason.val)];
        lower = name;
        std::ranges::transform(lower, lower.begin(), [](unsigned char letter) {
            return static_cast<char>(std::tolower(letter));
        });
    }
    return names;
}

const std::map<std::string, std::uint64_t>& DropCounters::read() {
    for (std::size_t cpu = 0; cpu < counters_.size(); ++cpu) {
        auto& last = last_[cpu];
        if (read_whole(counters_[cpu].all) == last.all) continue;
        last.all = 0;
        last.by_reason.resize(DROP_REASONS);
        for (std::size_t reason = 0; reason < DROP_REASONS; ++reason) {
            const auto frames = read_whole(counters_[cpu].by_reason[reason]);
            if (frames != last.by_reason[reason]) add(reason, frames - last.by_reason[reason]);
            last.by_reason[reason] = frames;
            last.all += frames;
        }
    }
    return frames_;
}

void DropCounters::add(std::size_t reason, std::uint64_t frames) {
    const bool is_named = reason < names_.size() && !names_[reason].empty();
    const auto found = is_named ? frames_.find(names_[reason]) : frames_.end();
    if (found != frames_.end())
        found->second += frames;
    else if (is_named && frames_.size() < most_reasons - 1)
        frames_.emplace(names_[reason], frames);
    else
        frames_["other"] += frames;
}

}  // namespace wcs_node_agent
