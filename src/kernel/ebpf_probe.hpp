// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "counters.h"
#include "kernel/bucket_reader.hpp"
#include "kernel/busy_times.hpp"
#include "kernel/drop_counters.hpp"
#include "kernel/interface_table.hpp"
#include "kernel/kernel_programs.hpp"
#include "kernel/mapped_array.hpp"
#include "kernel/online_cpus.hpp"
#include "kernel/pin_folder.hpp"
#include "kernel/program_statistics.hpp"
#include "kernel/traffic_control.hpp"
#include "kernel/traffic_hook.hpp"
#include "kernel/traffic_sources.hpp"

#include <wcs_node_agent/probe.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wcs_node_agent {

struct EbpfOptions {
    std::optional<HookKind> hook = {};        // none: the best that the kernel has
    std::optional<bool> idle_halts = {};      // none: as idle_cpu_halts() says
    std::optional<std::uint16_t> slots = {};  // interfaces with counters of their own, and one more
};

/// Counts by kernel programs: wire bytes and frames on each interface, busy time on each CPU. After
/// loading, reading needs no privilege, and neither does attaching to new interfaces with TCX.
class EbpfProbe : public Probe {
 public:
    /// Loads the programs and starts to count CPU time; attach_next() starts with the traffic.
    /// Fails with the step and the kernel's reason. With a folder, all of it stays there beyond the
    /// process; what an earlier one left there is taken over, if it is the same.
    static Result<std::unique_ptr<EbpfProbe>> load(const EbpfOptions& options = {},
                                                   std::optional<PinFolder> pins = {});
    ~EbpfProbe() override;

    Source source() const override { return Source::ebpf; }
    void set_links(std::span<const Link> links, std::span<const std::uint32_t> priority,
                   const std::optional<std::set<std::uint32_t>>& touched = {}) override;
    Pending attach_next() override;
    Pending pending() const override;
    void repair(std::uint32_t index) override;
    std::size_t detach_next() override;
    Result<void> give_to(uid_t user, gid_t group) override {
        return pins_ ? pins_->give_to(user, group) : Result<void>();
    }
    void select(std::span<const std::uint32_t> indexes, bool peaks) override;
    Result<RawCounters> read() override;

    HookKind hook_kind() const { return hook_kind_; }
    /// What LinkMonitor is to watch over; none with TCX.
    std::optional<OwnFilters> own_filters() const {
        return clsact_ ? std::optional(clsact_->own_filters()) : std::nullopt;
    }
    /// What is loaded, for whoever runs a program by itself or reads a map as it is.
    const KernelPrograms& programs() const { return programs_; }
    /// Whether what the queueing discipline drops is subtracted: from Linux 5.18.
    bool subtracts_drops() const { return programs_.qdisc_drops != QdiscDrops::count_as_sent; }

    /// See drop_reason_names().
    const std::vector<std::string>& drop_reasons() const { return programs_.drop_reasons; }

    /// What was found in the folder, for people; empty: nothing.
    const std::string& pinning() const { return pinning_; }

 private:
    struct FollowedInterface {
        std::string name;
        std::optional<std::uint16_t> slot;  // none: counted as unplaced
        std::optional<TrafficHook> hook;    // none: lost, its turn to be attached anew will come
        HookOrder order = HookOrder::usual;
        Traffic last = {};  // as read before: what is reported never goes back
        Clock::time_point since = Clock::now();
    };

    EbpfProbe(std::uint16_t slots, std::vector<unsigned> cpus, KernelPrograms programs,
              MappedArray<::traffic> traffic_counters, MappedArray<traffic_rings> rings,
              MappedArray<::drop_counters> drop_counters, BusyTimes busy_times,
              MappedArray<interface_entry> interfaces);

    void attach(const Link& link);
    void attach_anew(std::uint32_t index, FollowedInterface& followed);
    void detach(std::uint32_t index, FollowedInterface& followed);
    Result<TrafficHook> new_hook(std::uint32_t index, const std::string& name, HookOrder order);
    void report_counted(std::uint32_t index, const std::string& name, bool has_slot);
    void leave_out(std::uint32_t index, const std::string& name, const Error& reason);
    void forget(std::uint32_t index);
    std::optional<std::uint16_t> take_slot(const Link& link);
    TrafficInSlot sum_over_cpus(std::uint16_t slot) const;

    KernelPrograms programs_;
    ProgramStatistics program_statistics_;
    std::optional<PinFolder> pins_;
    std::string pinning_;
    bool pinning_fails_ = false;  // logged already
    OnlineCpus online_cpus_;
    std::vector<unsigned> present_cpus_;       // whose memory is read
    MappedArray<::traffic> traffic_counters_;  // [cpu][slot]
    MappedArray<traffic_rings> rings_;         // [cpu]
    BucketReader buckets_;
    MappedArray<::drop_counters> drop_counters_;  // [cpu]
    DropCounters drops_;
    BusyTimes busy_times_;
    MappedArray<interface_entry> interfaces_;
    std::size_t slots_;  // per CPU
    InterfaceTable table_;
    HookKind hook_kind_ = HookKind::tcx;
    std::shared_ptr<TrafficControl> clsact_;               // null: hooks are TCX
    std::map<std::uint32_t, FollowedInterface> followed_;  // by index
    std::deque<Link> queue_;                               // for attach_next()
    std::size_t priority_queued_ = 0;                      // its first so many
    std::map<std::uint32_t, std::string> not_counted_;     // why, by index; logged already
};

}  // namespace wcs_node_agent
