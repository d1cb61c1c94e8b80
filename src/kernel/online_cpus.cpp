// SPDX-License-Identifier: Apache-2.0
#include "kernel/online_cpus.hpp"

#include "kernel/cpu_list.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace wcs_node_agent {

Result<std::vector<CpuCounters>> OnlineCpus::read(Clock::time_point now) {
    std::optional<std::vector<unsigned>> online;
    if (stat_.is_kernels())
        if (const auto text = online_.read()) online = parse_cpu_list(*text);
    const auto is_listed = [&](unsigned cpu) {
        return std::ranges::binary_search(listed_, cpu, {}, &CpuCounters::cpu);
    };
    if (!online || now >= stat_due_ || !std::ranges::all_of(*online, is_listed)) {
        stat_due_ = now + stat_interval;
        if (auto listed = stat_.read())
            listed_ = std::move(listed).value();
        else if (listed_.empty())
            return listed.error();
    }
    if (!online) return listed_;
    std::vector<CpuCounters> cpus;
    std::ranges::copy_if(listed_, std::back_inserter(cpus), [&](const CpuCounters& one) {
        return std::ranges::binary_search(*online, one.cpu);
    });
    return cpus;
}

}  // namespace wcs_node_agent
