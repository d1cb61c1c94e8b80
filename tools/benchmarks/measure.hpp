// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <iostream>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

namespace wcs_node_agent::bench {

[[noreturn]] inline void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

/// Passes the result of a system call on; throws what, with errno, if it is negative.
template <class Result>
Result check(Result result, const char* what) {
    if (result < 0) fail(what);
    return result;
}

/// Keeps the calling thread, and those that it makes, on one CPU.
inline void pin_to_cpu(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    check(::sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

inline std::int64_t nanoseconds(clockid_t clock) {
    timespec now{};
    check(::clock_gettime(clock, &now), "clock_gettime");
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

/// Wall clock.
inline std::int64_t wall_ns() { return nanoseconds(CLOCK_MONOTONIC); }

/// What this thread has run: other processes and, where the hypervisor tells, stolen time are not
/// in it; softirqs that ran within its system calls are.
inline std::int64_t thread_ns() { return nanoseconds(CLOCK_THREAD_CPUTIME_ID); }

/// The same of all threads of this process.
inline std::int64_t process_ns() { return nanoseconds(CLOCK_PROCESS_CPUTIME_ID); }

/// The value below which a share 0..1 of them lies; sorts them. Empty: 0.
inline std::int64_t quantile(std::vector<std::int64_t>& values, double share) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    const auto at = static_cast<std::size_t>(static_cast<double>(values.size()) * share);
    return values[std::min(at, values.size() - 1)];
}

/// CPU time of one call, ns: the median over so many calls.
template <class Call>
std::int64_t cost_ns(int calls, Call call) {
    call();  // the first one meets cold caches and pages that are not there yet
    std::vector<std::int64_t> times;
    for (int i = 0; i < calls; ++i) {
        const auto began = thread_ns();
        call();
        times.push_back(thread_ns() - began);
    }
    return quantile(times, 0.5);
}

/// The options of a command line, `--name value` each.
class Options {
 public:
    Options(int argc, char** argv) : words_(argv + 1, argv + argc) {}

    std::string text(std::string_view name) const {
        for (std::size_t i = 0; i + 1 < words_.size(); i += 2)
            if (words_[i].starts_with("--") && words_[i].substr(2) == name) return words_[i + 1];
        throw std::runtime_error("--" + std::string(name) + " is missing");
    }

    int number(std::string_view name) const { return std::stoi(text(name)); }
    double seconds(std::string_view name) const { return std::stod(text(name)); }

 private:
    std::vector<std::string> words_;
};

/// Prints what run() found, as JSON, or why it found nothing; the exit status.
inline int report(nlohmann::json (*run)(const Options&), const Options& options) {
    try {
        std::cout << run(options) << '\n';
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}

}  // namespace wcs_node_agent::bench
