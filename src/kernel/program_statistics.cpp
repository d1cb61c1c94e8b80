// SPDX-License-Identifier: Apache-2.0
#include "kernel/program_statistics.hpp"

#include "kernel/kernel_programs.hpp"

#include <algorithm>
#include <string>

#include <bpf/bpf.h>

namespace wcs_node_agent {

namespace {

/// Prometheus asks every 15 s.
constexpr std::chrono::nanoseconds read_interval = std::chrono::seconds(5);

ProgramCounters counters_of(std::string name, const Descriptor& program, std::uint64_t attached) {
    ProgramCounters counters{.name = std::move(name), .attached = attached};
    bpf_prog_info info{};
    std::uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0) return counters;
    counters.runs = info.run_cnt;
    counters.run_time = std::chrono::nanoseconds(info.run_time_ns);
    return counters;
}

}  // namespace

std::vector<ProgramCounters> ProgramStatistics::read(const KernelPrograms& programs,
                                                     std::size_t interfaces,
                                                     Clock::time_point now) {
    if (read_at_ && now - *read_at_ < read_interval) return last_;
    read_at_ = now;
    last_.clear();
    last_.push_back(counters_of("count_receive", programs.receive, interfaces));
    last_.push_back(counters_of("count_transmit", programs.transmit, interfaces));
    for (const auto& [name, link, program] : programs.tracing)
        last_.push_back(counters_of(name, program, 1));
    // Zero everywhere: the kernel keeps none.
    if (std::ranges::none_of(last_, [](const ProgramCounters& one) { return one.runs > 0U; }))
        for (auto& one : last_) one.runs = {}, one.run_time = {};
    return last_;
}

}  // namespace wcs_node_agent
