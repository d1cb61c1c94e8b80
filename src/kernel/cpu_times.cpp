// SPDX-License-Identifier: Apache-2.0
#include "kernel/cpu_times.hpp"

#include "kernel/monotonic.hpp"
#include "kernel/proc_text.hpp"

#include <algorithm>
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
        if (!line.starts_with("cpu")) break;
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

bool has_all_cpus(std::string_view beginning) {
    constexpr std::string_view name = "cpu";
    const auto end = beginning.rfind('\n');
    if (end == std::string_view::npos) return false;
    auto line = beginning.substr(end + 1);  // the last one, of which a part is there
    if (line.size() < name.size()) {
        const auto before = beginning.substr(0, end).rfind('\n');
        line = beginning.substr(before == std::string_view::npos ? 0 : before + 1);
    }
    return !line.starts_with(name);
}

std::vector<CpuCounters> CpuTimes::update(std::string_view stat, Clock::time_point before,
                                          Clock::time_point after, BusyBy by) {
    const Reading reading{before, after, by};
    ++updates_;
    std::vector<CpuCounters> counters;
    for (const auto& line : parse_proc_stat(stat)) {
        const auto [entry, is_new] = cpus_.try_emplace(line.cpu);
        auto& cpu = entry->second;
        if (is_new)
            cpu = start(line, reading);
        else
            advance(cpu, line, reading);
        cpu.listed = updates_;
        counters.push_back({.cpu = line.cpu, .busy = cpu.busy, .steal = cpu.steal});
    }
    return counters;
}

CpuTimes::Cpu CpuTimes::start(const CpuTicks& line, const Reading& reading) const {
    const auto duration = [&](CpuTicks::Column column) {
        return std::chrono::nanoseconds(credible_start(in_nanoseconds(line.ticks[column])));
    };
    Cpu cpu{.ticks = line.ticks,
            .changed = reading.before,
            .busy = {},
            .steal = duration(CpuTicks::steal)};
    for (const auto column : busy_columns) cpu.busy += duration(column);
    begin(cpu, idle_time(line, reading));
    return cpu;
}

void CpuTimes::begin(Cpu& cpu, const Idle& now) {
    cpu.begin = cpu.last = now;
    cpu.before = cpu.busy;
}

/// While the hypervisor has a CPU its line stands still; all that was stolen comes at once.
void CpuTimes::advance(Cpu& cpu, const CpuTicks& line, const Reading& reading) const {
    if (reading.by == BusyBy::idle) advance_by_idle(cpu, line, reading);
    if (line.ticks == cpu.ticks) return;
    const auto elapsed = (reading.after - cpu.changed).count();
    const auto most = static_cast<std::uint64_t>(elapsed + most_ticks_too_many * tick_);
    if (reading.by == BusyBy::ticks) {
        advance_by_ticks(cpu, line, most);
        begin(cpu, idle_time(line, reading));
    }
    cpu.steal += std::chrono::nanoseconds(
        credible_increase(in_nanoseconds(cpu.ticks[CpuTicks::steal]),
                          in_nanoseconds(line.ticks[CpuTicks::steal]), most));
    cpu.ticks = line.ticks;
    cpu.changed = reading.before;
}

void CpuTimes::advance_by_ticks(Cpu& cpu, const CpuTicks& line, std::uint64_t most) const {
    std::uint64_t busy = 0;
    for (const auto column : busy_columns)
        busy += credible_increase(in_nanoseconds(cpu.ticks[column]),
                                  in_nanoseconds(line.ticks[column]), most);
    if (busy <= most) cpu.busy += std::chrono::nanoseconds(busy);
}

/// Held against one beginning, the error of the two columns, up to two ticks, does not add up. What
/// it made too much the next readings wait for. A CPU that was away, or whose idle time is not what
/// can have passed, begins anew.
void CpuTimes::advance_by_idle(Cpu& cpu, const CpuTicks& line, const Reading& reading) const {
    const auto now = idle_time(line, reading);
    const auto error = std::chrono::nanoseconds(2 * tick_) + (reading.after - reading.before);
    const auto idle = now.idle - cpu.last.idle;
    const bool goes_on =
        cpu.listed + 1 == updates_ && idle >= -error && idle <= now.at - cpu.last.at + error;
    cpu.last = now;
    if (!goes_on) return begin(cpu, now);
    const auto busy = (now.at - cpu.begin.at) - (now.idle - cpu.begin.idle);
    cpu.busy = std::max(cpu.busy, cpu.before + busy);
}

CpuTimes::Idle CpuTimes::idle_time(const CpuTicks& line, const Reading& reading) const {
    const auto duration = [&](CpuTicks::Column column) {
        return std::chrono::nanoseconds(credible_start(in_nanoseconds(line.ticks[column])));
    };
    return {.at = reading.before + (reading.after - reading.before) / 2,
            .idle = duration(CpuTicks::idle) + duration(CpuTicks::iowait)};
}

/// The greatest number where it does not fit.
std::uint64_t CpuTimes::in_nanoseconds(std::uint64_t ticks) const {
    constexpr auto greatest = std::numeric_limits<std::uint64_t>::max();
    const auto tick = static_cast<std::uint64_t>(tick_);
    return ticks > greatest / tick ? greatest : ticks * tick;
}

}  // namespace wcs_node_agent
