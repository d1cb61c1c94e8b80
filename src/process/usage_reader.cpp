// SPDX-License-Identifier: Apache-2.0
#include "process/usage_reader.hpp"

#include "kernel/proc_text.hpp"
#include "process/descriptors.hpp"

#include <ctime>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace wcs_node_agent {

namespace {

using std::chrono::nanoseconds;

/// With samples of every quarter of a second each fourth of them reads.
constexpr nanoseconds read_interval = std::chrono::milliseconds(990);

nanoseconds duration_of(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

std::optional<nanoseconds> cpu_time() {
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) return std::nullopt;
    return duration_of(usage.ru_utime) + duration_of(usage.ru_stime);
}

std::optional<std::uint64_t> max_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
    return limit.rlim_cur;
}

/// Before Linux 6.2 the folder's size is 0.
std::optional<std::uint64_t> count_descriptors() {
    struct stat folder {};
    if (::stat("/proc/self/fd", &folder) != 0) return std::nullopt;
    return folder.st_size > 0 ? static_cast<std::uint64_t>(folder.st_size) : open_descriptors();
}

/// By the clock as it is now: a later step of it is not this process's.
std::optional<std::chrono::system_clock::time_point> start_time() {
    ProcFile file("/proc/self/stat");
    const auto text = file.read();
    const auto ticks = text ? parse_start_ticks(*text) : std::nullopt;
    timespec since_boot{};
    if (!ticks || ::clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) return std::nullopt;
    const std::chrono::duration<double> until_start(static_cast<double>(*ticks) /
                                                    static_cast<double>(::sysconf(_SC_CLK_TCK)));
    const auto age = std::chrono::seconds(since_boot.tv_sec) + nanoseconds(since_boot.tv_nsec) -
                     std::chrono::duration_cast<nanoseconds>(until_start);
    return std::chrono::system_clock::now() - age;
}

}  // namespace

std::optional<std::uint64_t> parse_start_ticks(std::string_view stat) {
    // The second field is the program's name in parentheses, which may hold any byte.
    const auto end_of_name = stat.rfind(')');
    if (end_of_name == std::string_view::npos) return std::nullopt;
    stat.remove_prefix(end_of_name + 1);
    constexpr int start_time = 22;
    for (int field = 3; field <= start_time; ++field) {
        const auto blank = stat.find(' ');
        if (blank == std::string_view::npos) return std::nullopt;
        stat.remove_prefix(blank + 1);
    }
    return next_number(stat);
}

UsageReader::UsageReader() : statm_("/proc/self/statm"), started_(start_time()) {}

const ProcessUsage& UsageReader::read(Clock::time_point now) {
    if (read_at_ != Clock::time_point::min() && now - read_at_ < read_interval) return usage_;
    read_at_ = now;
    return usage_ = read_now();
}

ProcessUsage UsageReader::read_now() {
    ProcessUsage usage{.cpu_time = cpu_time(),
                       .virtual_bytes = {},
                       .resident_bytes = {},
                       .open_descriptors = count_descriptors(),
                       .max_descriptors = max_descriptors(),
                       .started = started_};
    if (auto text = statm_.read()) {
        const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        auto line = *text;
        if (const auto pages = next_number(line)) usage.virtual_bytes = *pages * page;
        if (const auto pages = next_number(line)) usage.resident_bytes = *pages * page;
    }
    return usage;
}

}  // namespace wcs_node_agent
