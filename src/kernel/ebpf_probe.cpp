// SPDX-License-Identifier: Apache-2.0
#include "kernel/ebpf_probe.hpp"

#include "kernel/cpu_list.hpp"
#include "kernel/idle_states.hpp"
#include "kernel/ticks.hpp"
#include "kernel/time_namespace.hpp"

#include <algorithm>
#include <cstdarg>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <system_error>
#include <utility>

#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

/// libbpf reports every feature that it tries for in vain: at debug level only.
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

std::uint8_t l2_header(const Link& link) {
    switch (link.hardware_type) {
        case ARPHRD_ETHER:
        case ARPHRD_LOOPBACK:
            return ETH_HLEN;
        default:
            return 0;  // tunnels and point-to-point devices: IP comes first
    }
}

}  // namespace

Result<std::unique_ptr<EbpfProbe>> EbpfProbe::load(const EbpfOptions& options,
                                                   std::optional<PinFolder> pins) {
    libbpf_set_print(log_libbpf);
    const auto cpus = cpu_array_size();
    if (!cpus) return cpus.error();
    auto present = present_cpus();
    if (!present) return present.error();
    ProgramOptions wanted{.cpus = static_cast<std::uint32_t>(*cpus),
                          .slots = options.slots.value_or(slots_for_interfaces()),
                          .idle_halts = options.idle_halts.value_or(idle_cpu_halts()),
                          .bucket_shift = bucket_shift(tick_length())};
    const auto monotonic_offset = own_monotonic_offset();
    if (!monotonic_offset) return monotonic_offset.error();

    std::string pinning;
    std::optional<KernelPrograms> programs;
    if (pins && !pins->names().empty()) {
        auto left = take_over_programs(wanted, *pins);
        if (left) {
            programs = std::move(left).value();
            wanted.slots = programs->slots;
            pinning = "counting has gone on in " + pins->path().native();
        } else {
            pinning = fmt::format("counting starts afresh: of what is in {}, {}",
                                  pins->path().native(), left.error().what);
            TrafficHook::detach_all(*pins);
        }
    }
    if (!programs) {
        auto loaded = load_programs(wanted);
        if (!loaded) return loaded.error();
        programs = std::move(loaded).value();
        if (pins)
            if (auto done = pin_programs(*programs, wanted, *pins); !done) return done.error();
    }

    const std::size_t cpu_count = wanted.cpus;
    auto traffic_counters =
        MappedArray<::traffic>::map(programs->traffic.get(), cpu_count * wanted.slots);
    if (!traffic_counters) return traffic_counters.error();
    auto rings = MappedArray<traffic_rings>::map(programs->rings.get(), cpu_count);
    if (!rings) return rings.error();
    auto drop_counters = MappedArray<::drop_counters>::map(programs->drops.get(), cpu_count);
    if (!drop_counters) return drop_counters.error();
    auto cpu_times = MappedArray<cpu_time>::map(programs->cpu_times.get(), cpu_count);
    if (!cpu_times) return cpu_times.error();
    auto interfaces =
        MappedArray<interface_entry>::map(programs->interfaces.get(), INTERFACE_BUCKETS);
    if (!interfaces) return interfaces.error();

    std::unique_ptr<EbpfProbe> probe(new EbpfProbe(
        wanted.slots, std::move(present).value(), *std::move(programs),
        std::move(traffic_counters).value(), std::move(rings).value(),
        std::move(drop_counters).value(),
        BusyTimes(std::move(cpu_times).value(), *monotonic_offset), std::move(interfaces).value()));
    probe->pins_ = std::move(pins);
    probe->pinning_ = std::move(pinning);
    probe->hook_kind_ = options.hook.value_or(
        best_hook_kind({.receive = probe->programs_.receive.get(), .transmit = -1}));
    if (probe->hook_kind_ == HookKind::clsact) {
        auto control = TrafficControl::open(probe->pins_ ? FilterHandle::of(*probe->pins_)
                                                         : FilterHandle::claim());
        if (!control) return control.error();
        probe->clsact_ = std::move(control).value();
    }
    return probe;
}

EbpfProbe::EbpfProbe(std::uint16_t slots, std::vector<unsigned> cpus, KernelPrograms programs,
                     MappedArray<::traffic> traffic_counters, MappedArray<traffic_rings> rings,
                     MappedArray<::drop_counters> drop_counters, BusyTimes busy_times,
                     MappedArray<interface_entry> interfaces)
    : programs_(std::move(programs)),
      present_cpus_(std::move(cpus)),
      traffic_counters_(std::move(traffic_counters)),
      rings_(std::move(rings)),
      buckets_(rings_.values(), tick_length()),
      drop_counters_(std::move(drop_counters)),
      drops_(drop_counters_.values(), programs_.drop_reasons),
      busy_times_(std::move(busy_times)),
      interfaces_(std::move(interfaces)),
      slots_(slots),
      table_(interfaces_.values(), slots) {}

EbpfProbe::~EbpfProbe() {
    if (!pins_) return;
    for (auto& [index, followed] : followed_)
        if (followed.hook) followed.hook->leave();
}

void EbpfProbe::set_links(std::span<const Link> links, std::span<const std::uint32_t> priority,
                          const std::optional<std::set<std::uint32_t>>& touched) {
    const auto link_of = [&](std::uint32_t index) -> const Link* {
        const auto found = std::ranges::lower_bound(links, index, {}, &Link::index);
        return found != links.end() && found->index == index ? &*found : nullptr;
    };
    for (auto entry = followed_.begin(); entry != followed_.end();) {
        auto& [index, followed] = *entry;
        const auto* link = link_of(index);
        const bool may_be_lost = !touched || touched->contains(index);
        const bool attached = followed.hook && (!may_be_lost || followed.hook->attached());
        // Lost: somebody took the programs off, or it was in another namespace meanwhile, which
        // leaves it its index, but not its clsact filters.
        if (link && !attached && link->name == followed.name) detach(index, followed);
        if (link && (attached || link->name == followed.name)) {
            ++entry;
            continue;
        }
        const auto gone = index;
        entry = followed_.erase(entry);  // detached first, so that nobody counts into a freed slot
        forget(gone);
    }
    for (const auto index : table_.entered())
        if (!link_of(index)) forget(index);  // gone while no agent ran
    std::erase_if(not_counted_, [&](const auto& one) { return !link_of(one.first); });

    queue_.clear();
    for (const auto& link : links) {
        if (link.loopback) continue;  // has no wire
        const auto found = followed_.find(link.index);
        if (found == followed_.end() || !found->second.hook) queue_.push_back(link);
        if (found == followed_.end()) continue;
        found->second.name = link.name;
        if (found->second.slot) continue;
        found->second.slot = take_slot(link);  // one may be free by now
        if (found->second.slot && found->second.hook) not_counted_.erase(link.index);
    }
    const auto others = std::ranges::stable_partition(
        queue_, [&](const Link& link) { return std::ranges::binary_search(priority, link.index); });
    priority_queued_ = queue_.size() - others.size();
}

Pending EbpfProbe::pending() const {
    if (queue_.empty()) return Pending::none;
    return priority_queued_ > 0 ? Pending::priority : Pending::others;
}

Pending EbpfProbe::attach_next() {
    if (queue_.empty()) return Pending::none;
    const auto link = std::move(queue_.front());
    queue_.pop_front();
    if (priority_queued_ > 0) --priority_queued_;
    attach(link);
    return pending();
}

void EbpfProbe::forget(std::uint32_t index) {
    if (pins_) TrafficHook::unpin(index, *pins_);
    table_.remove(index);
}

/// Pinned, where that is asked for. What cannot be pinned counts as long as this process runs.
Result<TrafficHook> EbpfProbe::new_hook(std::uint32_t index, const std::string& name,
                                        HookOrder order) {
    auto hook = TrafficHook::attach(
        clsact_, index, {.receive = programs_.receive.get(), .transmit = programs_.transmit.get()},
        order);
    if (!hook || !pins_) return hook;
    const auto pinned = hook->pin(index, *pins_);
    if (!pinned && !std::exchange(pinning_fails_, true))
        spdlog::warn("interface {}: its counting will end with this process: {}", name,
                     pinned.error().what);
    return hook;
}

void EbpfProbe::attach(const Link& link) {
    if (const auto lost = followed_.find(link.index); lost != followed_.end()) {
        attach_anew(link.index, lost->second);
        return;
    }
    auto taken = pins_ ? TrafficHook::take_over(clsact_, link.index, *pins_) : std::nullopt;
    if (!taken) forget(link.index);  // another interface may have had the index while no agent ran
    auto slot = table_.slot_of(link.index);
    if (!slot) slot = take_slot(link);  // before the hook, with which the first frame may come
    auto hook = taken ? Result<TrafficHook>(*std::move(taken))
                      : new_hook(link.index, link.name, HookOrder::usual);
    if (!hook) {
        table_.remove(link.index);
        leave_out(link.index, link.name, hook.error());
        return;
    }
    report_counted(link.index, link.name, slot.has_value());
    followed_.emplace(
        link.index,
        FollowedInterface{.name = link.name, .slot = slot, .hook = std::move(hook).value()});
}

void EbpfProbe::repair(std::uint32_t index) {
    const auto found = followed_.find(index);
    if (found == followed_.end()) return;
    found->second.order = HookOrder::first;
    detach(index, found->second);
    attach_anew(index, found->second);
}

std::size_t EbpfProbe::detach_next() {
    if (pins_ || followed_.empty()) return 0;
    followed_.erase(followed_.begin());
    return followed_.size();
}

void EbpfProbe::detach(std::uint32_t index, FollowedInterface& followed) {
    if (pins_) TrafficHook::unpin(index, *pins_);
    followed.hook.reset();
}

/// Frames were missed, but the totals go on.
void EbpfProbe::attach_anew(std::uint32_t index, FollowedInterface& followed) {
    auto hook = new_hook(index, followed.name, followed.order);
    if (!hook) {
        leave_out(index, followed.name, hook.error());
        return;
    }
    followed.hook = std::move(hook).value();
    followed.since = Clock::now();
    report_counted(index, followed.name, followed.slot.has_value());
}

void EbpfProbe::report_counted(std::uint32_t index, const std::string& name, bool has_slot) {
    not_counted_.erase(index);
    if (!has_slot)
        leave_out(
            index, name,
            Error{fmt::format("all {} slots are taken, its frames count as unplaced", slots_ - 1)});
}

/// An interface may be gone by the time that its turn comes: RTNETLINK reports that as well.
void EbpfProbe::leave_out(std::uint32_t index, const std::string& name, const Error& reason) {
    if (reason.code == std::errc::no_such_device)
        spdlog::debug("interface {}: gone before it was attached to", name);
    else if (not_counted_.insert_or_assign(index, reason.what).second)
        spdlog::warn("interface {}: not counted: {}", name, reason.what);
}

std::optional<std::uint16_t> EbpfProbe::take_slot(const Link& link) {
    const auto slot = table_.enter(link.index, l2_header(link));
    if (slot)
        for (std::size_t at = *slot; at < traffic_counters_.size(); at += slots_)
            traffic_counters_[at] = {};
    return slot;
}

TrafficInSlot EbpfProbe::sum_over_cpus(std::uint16_t slot) const {
    TrafficInSlot sum;
    for (const auto cpu : present_cpus_) sum.add(traffic_counters_[cpu * slots_ + slot]);
    return sum;
}

void EbpfProbe::select(std::span<const std::uint32_t> indexes, bool peaks) {
    table_.mark(indexes, peaks ? INTERFACE_SELECTED | INTERFACE_IN_BUCKETS : INTERFACE_SELECTED);
    const auto ticks = ticks_so_far();
    if (ticks && peaks && !indexes.empty())
        buckets_.restart(*ticks);
    else
        buckets_.stop();
}

Result<RawCounters> EbpfProbe::read() {
    RawCounters counters;
    counters.qdisc_drops = programs_.qdisc_drops;
    counters.not_counted = not_counted_;
    // What they are busy is counted whether or not anybody says which are online.
    if (auto cpus = online_cpus_.read(Clock::now()))
        counters.cpus = std::move(cpus).value();
    else
        counters.cpus_unknown = cpus.error().what;
    for (const auto& one : counters.cpus)
        if (one.cpu < rings_.size()) add_cpu(present_cpus_, one.cpu);  // plugged in meanwhile
    for (auto& [index, followed] : followed_) {
        if (!followed.slot || !followed.hook) continue;
        const auto in_slot = sum_over_cpus(*followed.slot);
        in_slot.advance(followed.last);
        counters.interfaces.push_back({.index = index,
                                       .name = followed.name,
                                       .traffic = followed.last,
                                       .since = followed.since,
                                       .repeated_bytes = in_slot.repeated_bytes});
    }
    counters.programs = program_statistics_.read(
        programs_,
        static_cast<std::size_t>(std::ranges::count_if(
            followed_, [](const auto& one) { return one.second.hook.has_value(); })),
        Clock::now());
    if (const auto ticks = ticks_so_far()) counters.buckets = buckets_.read(*ticks, present_cpus_);
    counters.dropped_packets = drops_.read();
    const auto unplaced = sum_over_cpus(UNPLACED_SLOT).counted;
    counters.unplaced_packets = unplaced.receive_packets + unplaced.transmit_packets;

    busy_times_.read(counters.cpus);
    busy_times_.close_intervals_of_offline(present_cpus_, counters.cpus);
    counters.at = Clock::now();
    return counters;
}

}  // namespace wcs_node_agent
