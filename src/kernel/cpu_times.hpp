// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/raw_counters.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace wcs_node_agent {

/// A CPU's line in /proc/stat, in ticks of USER_HZ. guest time, which follows the columns here, is
/// within user time already.
struct CpuTicks {
    enum Column { user, nice, system, idle, iowait, irq, softirq, steal, columns };

    unsigned cpu = 0;
    std::array<std::uint64_t, columns> ticks{};
};

/// The CPUs of /proc/stat, which lists those online, by number, ascending. Columns that are missing
/// are 0; lines that are not of a CPU are passed over.
std::vector<CpuTicks> parse_proc_stat(std::string_view stat);

/// Whether the beginning of /proc/stat holds the lines of all CPUs, which stand at its head.
bool has_all_cpus(std::string_view beginning);

/// What busy time is made of.
enum class BusyBy {
    ticks,  // what the CPU did at each tick: far off where threads keep step with it
    idle    // all the time that it was not idle: exact where idle_columns_are_exact()
};

/// CPU times from /proc/stat that never fall, whatever that file says: see monotonic.hpp. A CPU
/// cannot have been busy for longer than since its line last changed, nor idle for longer than
/// since it was read; an increase beyond that, and the error of the ticks, counts as none.
class CpuTimes {
 public:
    /// ticks_per_second: USER_HZ.
    explicit CpuTimes(std::int64_t ticks_per_second = ::sysconf(_SC_CLK_TCK))
        : tick_(1'000'000'000 / ticks_per_second) {}

    /// The CPUs that are listed now. before, after: the clock before and after the file was read.
    std::vector<CpuCounters> update(std::string_view stat, Clock::time_point before,
                                    Clock::time_point after, BusyBy by = BusyBy::ticks);

 private:
    struct Idle {
        Clock::time_point at;
        std::chrono::nanoseconds idle;  // waiting for I/O included
    };
    struct Cpu {
        std::array<std::uint64_t, CpuTicks::columns> ticks;
        Clock::time_point changed;  // at the latest, when the line became what it is
        std::chrono::nanoseconds busy;
        std::chrono::nanoseconds steal;
        std::uint64_t listed = 0;              // the last update that had it
        Idle begin = {};                       // what idle time is counted from
        std::chrono::nanoseconds before = {};  // busy time at `begin`
        Idle last = {};                        // at the last reading
    };
    struct Reading {
        Clock::time_point before, after;
        BusyBy by;
    };

    Cpu start(const CpuTicks& line, const Reading& reading) const;
    void advance(Cpu& cpu, const CpuTicks& line, const Reading& reading) const;
    void advance_by_ticks(Cpu& cpu, const CpuTicks& line, std::uint64_t most) const;
    void advance_by_idle(Cpu& cpu, const CpuTicks& line, const Reading& reading) const;
    static void begin(Cpu& cpu, const Idle& now);
    Idle idle_time(const CpuTicks& line, const Reading& reading) const;
    std::uint64_t in_nanoseconds(std::uint64_t ticks) const;

    std::int64_t tick_;  // nanoseconds
    std::uint64_t updates_ = 0;
    std::map<unsigned, Cpu> cpus_;  // all that were ever listed
};

}  // namespace wcs_node_agent
