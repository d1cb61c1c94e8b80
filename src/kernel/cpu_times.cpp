// SPDX-License-Identifier: Apache-2.0
#include "kernel/cpu_times.hpp"

#include "kernel/monotonic.hpp"
#include "kernel/proc_text.hpp"

#include <limits>
#include <utility>

namespace wcs_node_agent {

namespace {

constexpr std::array busy_columns{CpuTicks::user, CpuTicks::nice,    CpuTicks::system,
                                  CpuTicks::irq,  CpuTicks::softirq, CpuTicks::steal};

/// Each column is rounded down by itself, and a tick is charged when it ends.
constexpr std::int64_t most_ticks_too_many = busy_columns.size() + 2;

}  // namespace

std::vector<CpuTicks> parse_proc_stat(std::string_view stat) {
    std::vector<CpuTicks> cpus;
    while (!stat.empty()) {
        auto line = next_line(stat);
        if (!line.starts_with("cpu")) break;  // they stand at the head; the rest can be long
        line.remove_prefix(3);
        if (line.starts_with(' ')) continue;  // the sum over all
        const auto cpu = next_number(line);
        if (!cpu || !std::in_range<unsigned>(*cpu)) continue;
        const auto number = static_cast<unsigned>(*cpu);
        if (!cpus.empty() && number <= cpus.back().cpu) continue;
        cpus.push_back({.cpu = number, .ticks = next_numbers<CpuTicks::columns>(line)});
    }
    return cpus;
}

std::vector<CpuCounters> CpuTimes::update(std::string_view stat, Clock::time_point before,
                                          Clock::time_point after) {
    std::vector<CpuCounters> counters;
    for (const auto& line : parse_proc_stat(stat)) {
        const auto [entry, is_new] = cpus_.try_emplace(line.cpu);
        auto& cpu = entry->second;
        if (is_new)
            cpu = start(line, before);
        else
            advance(cpu, line, before, after);
        counters.push_back({.cpu = line.cpu, .busy = cpu.busy, .steal = cpu.steal});
    }
    return counters;
}

CpuTimes::Cpu CpuTimes::start(const CpuTicks& line, Clock::time_point before) const {
    const auto duration = [&](CpuTicks::Column column) {
        return std::chrono::nanoseconds(credible_start(in_nanoseconds(line.ticks[column])));
    };
    Cpu cpu{.ticks = line.ticks, .changed = before, .busy = {}, .steal = duration(CpuTicks::steal)};
    for (const auto column : busy_columns) cpu.busy += duration(column);
    return cpu;
}

/// While the hypervisor has a CPU its line stands still; all that was stolen comes at once.
void CpuTimes::advance(Cpu& cpu, const CpuTicks& line, Clock::time_point before,
                       Clock::time_point after) const {
    if (line.ticks == cpu.ticks) return;
    const auto elapsed = (after - cpu.changed).count();
    const auto most = static_cast<std::uint64_t>(elapsed + most_ticks_too_many * tick_);
    const auto increase = [&](CpuTicks::Column column) {
        return credible_increase(in_nanoseconds(cpu.ticks[column]),
                                 in_nanoseconds(line.ticks[column]), most);
    };
    std::uint64_t busy = 0;
    for (const auto column : busy_columns) busy += increase(column);
    if (busy <= most) cpu.busy += std::chrono::nanoseconds(busy);
    cpu.steal += std::chrono::nanoseconds(increase(CpuTicks::steal));
    cpu.ticks = line.ticks;
    cpu.changed = before;
}

/// The greatest number where it does not fit.
std::uint64_t CpuTimes::in_nanoseconds(std::uint64_t ticks) const {
    constexpr auto greatest = std::numeric_limits<std::uint64_t>::max();
    const auto tick = static_cast<std::uint64_t>(tick_);
    return ticks > greatest / tick ? greatest : ticks * tick;
}

}  // namespace wcs_node_agent
