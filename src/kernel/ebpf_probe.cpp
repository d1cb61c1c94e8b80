// SPDX-License-Identifier: Apache-2.0
#include "kernel/ebpf_probe.hpp"

#include "cpu.skel.h"
#include "kernel/idle_states.hpp"
#include "traffic.skel.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

Error failure(const char* step, int error) {
    return Error{fmt::format("{}: {}", step, std::strerror(error))};
}

/// libbpf tells of every feature that it tries for in vain: for those who look closely only.
[[gnu::format(printf, 2, 0)]] int log_libbpf(libbpf_print_level, const char* format,
                                             va_list arguments) {
    if (!spdlog::should_log(spdlog::level::debug)) return 0;
    std::array<char, 4096> line{};
    const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
    std::string_view text(
        line.data(),
        std::min<std::size_t>(line.size() - 1, static_cast<std::size_t>(std::max(length, 0))));
    while (text.ends_with('\n')) text.remove_suffix(1);
    spdlog::debug("{}", text);
    return 0;
}

/// The number that names this process's network namespace in the kernel (ns.inum).
Result<std::uint32_t> own_network_namespace() {
    struct stat status {};
    if (::stat("/proc/self/ns/net", &status) != 0) return failure("/proc/self/ns/net", errno);
    return static_cast<std::uint32_t>(status.st_ino);
}

using KernelTypes = std::unique_ptr<btf, decltype(&btf__free)>;

KernelTypes load_kernel_types() { return {btf__load_vmlinux_btf(), btf__free}; }

/// Programs on tracepoints that not every kernel has are marked in their source (SEC("?...")), and
/// libbpf does not load them unless told to.
void load_optional_programs(bpf_object* object, const btf* types, bool idle_halts) {
    bpf_program* program = nullptr;
    while ((program = bpf_object__next_program(object, program)) != nullptr) {
        if (bpf_program__autoload(program)) continue;
        std::string_view tracepoint = bpf_program__section_name(program);
        tracepoint.remove_prefix(tracepoint.find('/') + 1);
        const bool needed =
            !idle_halts || (tracepoint.ends_with("_entry") && tracepoint != "softirq_entry");
        const auto type = fmt::format("btf_trace_{}", tracepoint);
        const bool has = btf__find_by_name_kind(types, type.c_str(), BTF_KIND_TYPEDEF) > 0;
        bpf_program__set_autoload(program, needed && has);
    }
}

/// kfree_skb has no reason before 5.17, and a program that reads it must not be loaded there.
QdiscDrops qdisc_drops_of_kernel(const btf* types) {
    const int id = btf__find_by_name_kind(types, "skb_drop_reason", BTF_KIND_ENUM);
    if (id < 0) return QdiscDrops::count_as_sent;
    const auto* reasons = btf__type_by_id(types, static_cast<std::uint32_t>(id));
    const std::span values(btf_enum(reasons), btf_vlen(reasons));
    const auto has = [&](std::string_view reason) {
        return std::ranges::any_of(values, [&](const struct btf_enum& value) {
            return btf__name_by_offset(types, value.name_off) == reason;
        });
    };
    if (!has("SKB_DROP_REASON_QDISC_DROP")) return QdiscDrops::count_as_sent;
    // This one came together with reasons for what CoDel drops as it takes from the queue.
    return has("SKB_DROP_REASON_QDISC_CONGESTED") ? QdiscDrops::taken_back
                                                  : QdiscDrops::taken_back_at_enqueue;
}

/// Kernels before 5.11 hold maps against RLIMIT_MEMLOCK, 64 KiB by default.
void lift_memlock_limit() {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

std::uint16_t l2_header(const Link& link) {
    switch (link.hardware_type) {
        case ARPHRD_ETHER:
        case ARPHRD_LOOPBACK:
            return ETH_HLEN;
        default:
            return 0;  // tunnels and point-to-point devices: IP comes first
    }
}

/// One field written by one CPU, read whole by another.
template <class T>
T read_whole(const T& field) {
    return std::atomic_ref(const_cast<T&>(field)).load(std::memory_order_relaxed);
}

}  // namespace

void EbpfProbe::DestroySkeleton::operator()(traffic_bpf* skeleton) const {
    traffic_bpf__destroy(skeleton);
}
void EbpfProbe::DestroySkeleton::operator()(cpu_bpf* skeleton) const { cpu_bpf__destroy(skeleton); }

Result<std::unique_ptr<EbpfProbe>> EbpfProbe::load(const EbpfOptions& options) {
    libbpf_set_print(log_libbpf);
    lift_memlock_limit();
    const int cpus = libbpf_num_possible_cpus();
    if (cpus < 0) return failure("counting the possible CPUs", -cpus);
    const auto cpu_count = static_cast<std::uint32_t>(cpus);
    const auto network_namespace = own_network_namespace();
    if (!network_namespace) return network_namespace.error();
    auto stat = ProcFile::open("/proc/stat");
    if (!stat) return stat.error();
    const auto kernel_types = load_kernel_types();
    if (!kernel_types) return failure("reading the kernel's types", errno);

    TrafficSkeleton traffic(traffic_bpf__open());
    if (!traffic) return failure("opening the traffic programs", errno);
    traffic->rodata->own_network_namespace = *network_namespace;
    traffic->rodata->slots = options.slots;
    bpf_map__set_max_entries(traffic->maps.traffic, cpu_count * options.slots);
    const auto qdisc_drops = qdisc_drops_of_kernel(kernel_types.get());
    const bool takes_drops_back = qdisc_drops != QdiscDrops::count_as_sent;
    bpf_program__set_autoload(traffic->progs.count_drop, takes_drops_back);
    if (const int error = traffic_bpf__load(traffic.get()); error != 0)
        return failure("loading the traffic programs", -error);
    if (takes_drops_back) {
        traffic->links.count_drop = bpf_program__attach(traffic->progs.count_drop);
        if (!traffic->links.count_drop) return failure("attaching to kfree_skb", errno);
    }

    CpuSkeleton cpu(cpu_bpf__open());
    if (!cpu) return failure("opening the CPU programs", errno);
    bpf_map__set_max_entries(cpu->maps.cpu_times, cpu_count);
    cpu->rodata->idle_halts = options.idle_halts.value_or(idle_cpu_halts());
    load_optional_programs(cpu->obj, kernel_types.get(), cpu->rodata->idle_halts);
    if (const int error = cpu_bpf__load(cpu.get()); error != 0)
        return failure("loading the CPU programs", -error);
    if (const int error = cpu_bpf__attach(cpu.get()); error != 0)
        return failure("attaching the CPU programs", -error);

    auto traffic_counters = MappedArray<::traffic>::map(bpf_map__fd(traffic->maps.traffic),
                                                        std::size_t{cpu_count} * options.slots);
    if (!traffic_counters) return traffic_counters.error();
    auto cpu_times = MappedArray<cpu_time>::map(bpf_map__fd(cpu->maps.cpu_times), cpu_count);
    if (!cpu_times) return cpu_times.error();

    std::unique_ptr<EbpfProbe> probe(
        new EbpfProbe(options, std::move(traffic), std::move(cpu), std::move(stat).value(),
                      std::move(traffic_counters).value(), std::move(cpu_times).value()));
    probe->qdisc_drops_ = qdisc_drops;
    probe->hook_kind_ = options.hook.value_or(best_hook_kind(
        {.receive = bpf_program__fd(probe->traffic_->progs.count_receive), .transmit = -1}));
    return probe;
}

EbpfProbe::EbpfProbe(const EbpfOptions& options, TrafficSkeleton traffic, CpuSkeleton cpu,
                     ProcFile stat, MappedArray<::traffic> traffic_counters,
                     MappedArray<cpu_time> cpu_times)
    : traffic_(std::move(traffic)),
      cpu_(std::move(cpu)),
      stat_(std::move(stat)),
      traffic_counters_(std::move(traffic_counters)),
      cpu_times_(std::move(cpu_times)),
      slots_(options.slots),
      table_(traffic_->bss->interfaces, options.slots),
      last_busy_(cpu_times_.size()) {}

EbpfProbe::~EbpfProbe() = default;

std::size_t EbpfProbe::follow(std::span<const Link> links, std::span<const std::uint32_t> first) {
    const auto stays = [&](std::uint32_t index) {
        return std::ranges::binary_search(links, index, {}, &Link::index);
    };
    for (auto entry = followed_.begin(); entry != followed_.end();) {
        // One that was in another namespace meanwhile keeps its index, but not its clsact filters.
        if (stays(entry->first) && entry->second.hook.attached()) {
            ++entry;
            continue;
        }
        const auto index = entry->first;
        entry = followed_.erase(entry);  // detached first, so that nobody counts into a freed slot
        table_.remove(index);
    }
    std::erase_if(refused_, [&](std::uint32_t index) { return !stays(index); });

    waiting_.clear();
    for (const auto& link : links) {
        if (link.loopback) continue;  // has no wire
        const auto found = followed_.find(link.index);
        if (found == followed_.end()) {
            waiting_.push_back(link);
            continue;
        }
        found->second.name = link.name;
        if (!found->second.slot) found->second.slot = take_slot(link);  // one may be free by now
    }
    const auto others = std::ranges::stable_partition(
        waiting_, [&](const Link& link) { return std::ranges::binary_search(first, link.index); });
    return waiting_.size() - others.size();
}

bool EbpfProbe::follow_next() {
    if (waiting_.empty()) return false;
    const auto link = std::move(waiting_.front());
    waiting_.pop_front();
    start_following(link);
    return !waiting_.empty();
}

void EbpfProbe::start_following(const Link& link) {
    const auto slot = take_slot(link);  // before the hook, with which the first frame may come
    auto hook = TrafficHook::attach(hook_kind_, link.index,
                                    {.receive = bpf_program__fd(traffic_->progs.count_receive),
                                     .transmit = bpf_program__fd(traffic_->progs.count_transmit)});
    if (!hook) {
        table_.remove(link.index);
        if (refused_.insert(link.index).second)
            spdlog::warn("interface {}: not counted: {}", link.name, hook.error().what);
        return;
    }
    if (!slot)
        spdlog::warn("interface {}: all {} places are taken, its frames count as unplaced",
                     link.name, slots_ - 1);
    followed_.emplace(
        link.index,
        FollowedInterface{
            .name = link.name, .slot = slot, .hook = std::move(hook).value(), .last = {}});
}

std::optional<std::uint16_t> EbpfProbe::take_slot(const Link& link) {
    const auto slot = table_.enter(link.index, l2_header(link));
    if (slot)
        for (std::size_t at = *slot; at < traffic_counters_.size(); at += slots_)
            traffic_counters_[at] = {};
    return slot;
}

::traffic EbpfProbe::sum_over_cpus(std::uint16_t slot) const {
    ::traffic sum{};
    for (std::size_t at = slot; at < traffic_counters_.size(); at += slots_) {
        const auto& one = traffic_counters_[at];
        sum.receive_bytes += read_whole(one.receive_bytes);
        sum.receive_packets += read_whole(one.receive_packets);
        sum.transmit_bytes += read_whole(one.transmit_bytes);
        sum.transmit_packets += read_whole(one.transmit_packets);
        sum.dropped_bytes += read_whole(one.dropped_bytes);
        sum.dropped_packets += read_whole(one.dropped_packets);
    }
    return sum;
}

/// A frame counts as sent when it is queued, and is taken back when the queue drops it: the
/// difference can shrink for a moment, which a reader of counters would take for a restart.
void EbpfProbe::update(InterfaceCounters& counters, const ::traffic& sum) {
    const auto advance = [](std::uint64_t& told, std::uint64_t counted, std::uint64_t taken_back) {
        told = std::max(told, counted - std::min(counted, taken_back));
    };
    advance(counters.receive_bytes, sum.receive_bytes, 0);
    advance(counters.receive_packets, sum.receive_packets, 0);
    advance(counters.transmit_bytes, sum.transmit_bytes, sum.dropped_bytes);
    advance(counters.transmit_packets, sum.transmit_packets, sum.dropped_packets);
}

/// No tracepoint fires on a CPU that is going offline: the interval in which it went stays open,
/// and nobody writes there any more. It is closed with what was told last.
void EbpfProbe::close_intervals_of_offline(std::span<const CpuCounters> online) {
    for (unsigned cpu = 0; cpu < cpu_times_.size(); ++cpu) {
        if (std::ranges::binary_search(online, cpu, {}, &CpuCounters::cpu)) continue;
        std::atomic_ref word(cpu_times_[cpu].busy);
        if (word.load(std::memory_order_relaxed) < 0)
            word.store(last_busy_[cpu].count(), std::memory_order_relaxed);
    }
}

std::optional<TrafficTotals> EbpfProbe::totals(std::span<const std::uint32_t> indexes) {
    TrafficTotals totals;
    for (const auto index : indexes) {
        const auto found = followed_.find(index);
        if (found == followed_.end() || !found->second.slot) continue;
        auto& last = found->second.last;
        update(last, sum_over_cpus(*found->second.slot));
        totals.receive_bytes += last.receive_bytes;
        totals.receive_packets += last.receive_packets;
        totals.transmit_bytes += last.transmit_bytes;
        totals.transmit_packets += last.transmit_packets;
    }
    totals.at = Clock::now();
    return totals;
}

Result<RawCounters> EbpfProbe::read() {
    RawCounters counters;
    counters.qdisc_drops = qdisc_drops_;
    for (auto& [index, followed] : followed_) {
        if (!followed.slot) continue;
        update(followed.last, sum_over_cpus(*followed.slot));
        followed.last.index = index;
        followed.last.name = followed.name;
        counters.interfaces.push_back(followed.last);
    }
    const auto unplaced = sum_over_cpus(UNPLACED_SLOT);
    counters.unplaced_packets = unplaced.receive_packets + unplaced.transmit_packets;

    // Which CPUs are online, and what was stolen from them, only /proc/stat tells.
    const auto stat = stat_.read();
    if (!stat) return stat.error();
    counters.cpus = parse_cpu_times(*stat, static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
    for (auto& cpu : counters.cpus) {
        if (cpu.cpu >= cpu_times_.size()) continue;
        const auto busy = read_whole(cpu_times_[cpu.cpu].busy);
        const auto now = Clock::now().time_since_epoch();  // after the load: never before its start
        // The interval that is still open counts too. It may have ended since the load: by the time
        // of the next reading the difference is gone, but until then the sum must not go back.
        const auto total = std::chrono::nanoseconds(busy) + (busy < 0 ? now : now.zero());
        cpu.busy = last_busy_[cpu.cpu] = std::max(last_busy_[cpu.cpu], total);
    }
    close_intervals_of_offline(counters.cpus);
    counters.at = Clock::now();
    return counters;
}

}  // namespace wcs_node_agent
