// SPDX-License-Identifier: Apache-2.0
#include "kernel/proc_stat.hpp"

#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

Result<std::vector<CpuCounters>> ProcStat::read() {
    auto cpus = read_times();
    const bool was_failing = std::exchange(failing_, !cpus);
    if (!cpus && !was_failing) spdlog::warn("CPU time cannot be read: {}", cpus.error().what);
    if (cpus && was_failing) spdlog::info("CPU time can be read again");
    return cpus;
}

Result<std::vector<CpuCounters>> ProcStat::read_times() {
    const auto before = Clock::now();
    const auto text = file_.read_until(has_all_cpus);
    if (!text) return text.error();
    auto cpus =
        times_.update(*text, before, Clock::now(), file_.is_kernels() ? by_ : BusyBy::ticks);
    if (cpus.empty()) return Error{fmt::format("{}: lists no CPU", file_.path().native())};
    return cpus;
}

}  // namespace wcs_node_agent
