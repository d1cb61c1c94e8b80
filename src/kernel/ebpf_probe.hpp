// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "counters.h"
#include "kernel/interface_table.hpp"
#include "kernel/mapped_array.hpp"
#include "kernel/procfs.hpp"
#include "kernel/traffic_hook.hpp"

#include <wcs_node_agent/probe.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

struct traffic_bpf;
struct cpu_bpf;

namespace wcs_node_agent {

struct EbpfOptions {
    std::optional<HookKind> hook = {};    // none: the best that the kernel has
    std::optional<bool> idle_halts = {};  // none: as idle_cpu_halts() says
    std::uint16_t slots =
        1280;  // interfaces with counters of their own, and one more: 64 bytes a CPU
};

/// Counts by kernel programs: wire bytes and frames on each interface, busy time on each CPU. After
/// loading, reading needs no privilege, and neither does following new interfaces with TCX.
class EbpfProbe : public Probe {
 public:
    /// Loads the programs and starts to count CPU time; follow() starts with the traffic. Fails
    /// with the step and the kernel's reason.
    static Result<std::unique_ptr<EbpfProbe>> load(const EbpfOptions& options = {});
    ~EbpfProbe() override;

    Source source() const override { return Source::ebpf; }
    std::size_t follow(std::span<const Link> links, std::span<const std::uint32_t> first) override;
    bool follow_next() override;
    std::optional<TrafficTotals> totals(std::span<const std::uint32_t> indexes) override;
    Result<RawCounters> read() override;

    HookKind hook_kind() const { return hook_kind_; }
    /// Whether what the queueing discipline drops is taken back: from Linux 5.18.
    bool takes_drops_back() const { return qdisc_drops_ != QdiscDrops::count_as_sent; }

 private:
    struct DestroySkeleton {
        void operator()(traffic_bpf* skeleton) const;
        void operator()(cpu_bpf* skeleton) const;
    };
    using TrafficSkeleton = std::unique_ptr<traffic_bpf, DestroySkeleton>;
    using CpuSkeleton = std::unique_ptr<cpu_bpf, DestroySkeleton>;

    struct FollowedInterface {
        std::string name;
        std::optional<std::uint16_t> slot;  // none: counted as unplaced
        TrafficHook hook;
        InterfaceCounters last;  // as read before: what is told never goes back
    };

    EbpfProbe(const EbpfOptions& options, TrafficSkeleton traffic, CpuSkeleton cpu, ProcFile stat,
              MappedArray<::traffic> traffic_counters, MappedArray<cpu_time> cpu_times);

    void start_following(const Link& link);
    std::optional<std::uint16_t> take_slot(const Link& link);
    ::traffic sum_over_cpus(std::uint16_t slot) const;
    void close_intervals_of_offline(std::span<const CpuCounters> online);
    static void update(InterfaceCounters& counters, const ::traffic& sum);

    TrafficSkeleton traffic_;
    CpuSkeleton cpu_;
    ProcFile stat_;
    MappedArray<::traffic> traffic_counters_;  // [cpu][slot]
    MappedArray<cpu_time> cpu_times_;
    std::size_t slots_;  // per CPU
    InterfaceTable table_;
    HookKind hook_kind_ = HookKind::tcx;
    QdiscDrops qdisc_drops_ = QdiscDrops::count_as_sent;
    std::map<std::uint32_t, FollowedInterface> followed_;  // by index
    std::deque<Link> waiting_;                             // for follow_next()
    std::set<std::uint32_t> refused_;                      // told in the log already
    std::vector<std::chrono::nanoseconds> last_busy_;      // by CPU
};

}  // namespace wcs_node_agent
