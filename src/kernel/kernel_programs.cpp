// SPDX-License-Identifier: Apache-2.0
#include "kernel/kernel_programs.hpp"

#include "counters.h"
#include "cpu.skel.h"
#include "kernel/drop_counters.hpp"
#include "kernel/network_namespace.hpp"
#include "traffic.skel.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

static_assert(sizeof(traffic_bpf::traffic_bpf__bss) == INTERFACE_BUCKETS * sizeof(interface_entry),
              "the table is all that there is in .bss");

using KernelTypes = std::unique_ptr<btf, decltype(&btf__free)>;
using TrafficSkeleton = std::unique_ptr<traffic_bpf, decltype(&traffic_bpf__destroy)>;
using CpuSkeleton = std::unique_ptr<cpu_bpf, decltype(&cpu_bpf__destroy)>;

/// Programs on tracepoints that not every kernel has are marked in their source (SEC("?...")), and
/// libbpf does not load them by itself.
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
    return has("SKB_DROP_REASON_QDISC_CONGESTED") ? QdiscDrops::subtracted
                                                  : QdiscDrops::subtracted_at_enqueue;
}

/// Kernels before 5.11 hold maps against RLIMIT_MEMLOCK, 64 KiB by default.
void lift_memlock_limit() {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

Descriptor duplicate(int descriptor) { return Descriptor(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3)); }

/// Attaches what is loaded and belongs on a tracepoint; the descriptors outlive libbpf's own.
Result<void> attach_to_tracepoints(bpf_object* object, std::vector<TracingProgram>& attached) {
    bpf_program* program = nullptr;
    while ((program = bpf_object__next_program(object, program)) != nullptr) {
        const std::string_view section = bpf_program__section_name(program);
        if (!bpf_program__autoload(program) || section == "tc") continue;
        const std::unique_ptr<bpf_link, decltype(&bpf_link__destroy)> link(
            bpf_program__attach(program), bpf_link__destroy);
        if (!link) return failure(fmt::format("attaching {}", bpf_program__name(program)), errno);
        attached.push_back({.name = bpf_program__name(program),
                            .link = duplicate(bpf_link__fd(link.get())),
                            .program = duplicate(bpf_program__fd(program))});
        if (!attached.back().link || !attached.back().program)
            return failure("keeping a program", errno);
    }
    return {};
}

constexpr const char* identity = "identity";
constexpr std::string_view tracing_prefix = "tracing-";
constexpr std::string_view program_prefix = "program-";  // of what the link alone does not give

/// FNV-1a.
std::uint64_t hash(std::span<const char> bytes, std::uint64_t value) {
    for (const char byte : bytes)
        value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    return value;
}

std::string identity_of(const ProgramOptions& options) {
    std::size_t size = 0;
    const auto* traffic = static_cast<const char*>(traffic_bpf__elf_bytes(&size));
    auto value = hash({traffic, size}, 0xcbf29ce484222325);
    const auto* cpu = static_cast<const char*>(cpu_bpf__elf_bytes(&size));
    value = hash({cpu, size}, value);
    return fmt::format("{:016x}-{}-{:d}-{}", value, options.cpus, options.idle_halts,
                       options.bucket_shift);
}

struct Named {
    const char* name;
    Descriptor KernelPrograms::*descriptor;
};

constexpr Named pinned[] = {
    {"receive", &KernelPrograms::receive},      {"transmit", &KernelPrograms::transmit},
    {"traffic", &KernelPrograms::traffic},      {"rings", &KernelPrograms::rings},
    {"drops", &KernelPrograms::drops},          {"cpu_times", &KernelPrograms::cpu_times},
    {"interfaces", &KernelPrograms::interfaces}};

}  // namespace

Result<KernelPrograms> load_programs(const ProgramOptions& options) {
    lift_memlock_limit();
    const auto network_namespace = own_network_namespace();
    if (!network_namespace) return network_namespace.error();
    const KernelTypes kernel_types(btf__load_vmlinux_btf(), btf__free);
    if (!kernel_types) return failure("reading the kernel's types", errno);
    KernelPrograms programs;
    programs.slots = options.slots;

    const TrafficSkeleton traffic(traffic_bpf__open(), traffic_bpf__destroy);
    if (!traffic) return failure("opening the traffic programs", errno);
    traffic->rodata->own_network_namespace = *network_namespace;
    traffic->rodata->slots = options.slots;
    traffic->rodata->bucket_shift = options.bucket_shift;
    bpf_map__set_max_entries(traffic->maps.traffic, options.cpus * options.slots);
    bpf_map__set_max_entries(traffic->maps.rings, options.cpus);
    bpf_map__set_max_entries(traffic->maps.drops, options.cpus);
    programs.qdisc_drops = qdisc_drops_of_kernel(kernel_types.get());
    programs.drop_reasons = drop_reason_names(kernel_types.get());
    bpf_program__set_autoload(traffic->progs.count_drop,
                              programs.qdisc_drops != QdiscDrops::count_as_sent);
    if (const int error = traffic_bpf__load(traffic.get()); error != 0)
        return failure("loading the traffic programs", -error);

    const CpuSkeleton cpu(cpu_bpf__open(), cpu_bpf__destroy);
    if (!cpu) return failure("opening the CPU programs", errno);
    bpf_map__set_max_entries(cpu->maps.cpu_times, options.cpus);
    cpu->rodata->idle_halts = options.idle_halts;
    load_optional_programs(cpu->obj, kernel_types.get(), options.idle_halts);
    if (const int error = cpu_bpf__load(cpu.get()); error != 0)
        return failure("loading the CPU programs", -error);

    for (bpf_object* object : {traffic->obj, cpu->obj})
        if (auto done = attach_to_tracepoints(object, programs.tracing); !done) return done.error();
    programs.receive = duplicate(bpf_program__fd(traffic->progs.count_receive));
    programs.transmit = duplicate(bpf_program__fd(traffic->progs.count_transmit));
    programs.traffic = duplicate(bpf_map__fd(traffic->maps.traffic));
    programs.drops = duplicate(bpf_map__fd(traffic->maps.drops));
    programs.rings = duplicate(bpf_map__fd(traffic->maps.rings));
    programs.interfaces = duplicate(bpf_map__fd(traffic->maps.bss));
    programs.cpu_times = duplicate(bpf_map__fd(cpu->maps.cpu_times));
    for (const auto& [name, descriptor] : pinned)
        if (!(programs.*descriptor)) return failure(name, EMFILE);  // all that a duplicate can meet
    return programs;
}

Result<void> pin_programs(const KernelPrograms& programs, const ProgramOptions& options,
                          const PinFolder& folder) {
    folder.remove(identity);  // without it the rest counts for nothing
    for (const auto& name : folder.names()) folder.remove(name);
    for (const auto& [name, descriptor] : pinned)
        if (auto done = folder.pin((programs.*descriptor).get(), name); !done) return done;
    for (const auto& [name, link, program] : programs.tracing)
        for (const auto& [descriptor, prefix] :
             {std::pair(link.get(), tracing_prefix), std::pair(program.get(), program_prefix)})
            if (auto done = folder.pin(descriptor, std::string(prefix) + name); !done) return done;
    return folder.note(identity, fmt::format("{} {} {}", identity_of(options), programs.slots,
                                             static_cast<int>(programs.qdisc_drops)));
}

Result<KernelPrograms> take_over_programs(const ProgramOptions& options, const PinFolder& folder) {
    const auto text = folder.noted(identity);
    if (!text) return Error{"not all was there yet"};
    std::istringstream words(*text);
    std::string programs_identity;
    int drops = 0;
    KernelPrograms programs;
    words >> programs_identity >> programs.slots >> drops;
    if (!words || programs_identity != identity_of(options))
        return Error{"the programs are those of another version"};
    const KernelTypes kernel_types(btf__load_vmlinux_btf(), btf__free);
    if (!kernel_types) return failure("reading the kernel's types", errno);
    programs.drop_reasons = drop_reason_names(kernel_types.get());
    programs.qdisc_drops = static_cast<QdiscDrops>(drops);
    for (const auto& [name, descriptor] : pinned) {
        auto found = folder.get(name);
        if (!found) return found.error();
        programs.*descriptor = std::move(found).value();
    }
    for (const auto& name : folder.names()) {
        if (!name.starts_with(tracing_prefix)) continue;
        const auto function = name.substr(tracing_prefix.size());
        auto link = folder.get(name);
        if (!link) return link.error();
        auto program = folder.get(std::string(program_prefix) + function);
        if (!program) return program.error();
        programs.tracing.push_back({.name = function,
                                    .link = std::move(link).value(),
                                    .program = std::move(program).value()});
    }
    return programs;
}

}  // namespace wcs_node_agent
