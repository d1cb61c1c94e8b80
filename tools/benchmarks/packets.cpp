// SPDX-License-Identifier: Apache-2.0
// A flood of small UDP datagrams over a veth pair, with different programs on its way, one slice of
// time after the other. The sender's CPU time is the cost of a packet: on a veth pair its send()
// goes all the way into the receiver's socket. It is taken from the burst in the middle of a slice,
// since a virtual machine's worst bursts are its neighbours'. The receiver reads on another CPU;
// or, on the sender's own, the sender's thread itself reads what it has sent, so that nobody is
// woken, nothing is lost, and a packet costs least.
//
// It runs in the sender's network namespace: --interface, --peer-interface, --peer-address,
// --peer-namespace FILE, --cpu N, --sink-cpu N, --rounds N, --slice SECONDS. Prints JSON.
#include "empty.skel.h"
#include "kernel/ebpf_probe.hpp"
#include "kernel/filter_handle.hpp"
#include "kernel/traffic_control.hpp"
#include "kernel/traffic_hook.hpp"
#include "measure.hpp"
#include "program_run.hpp"
#include "tracepoints.skel.h"

#include <arpa/inet.h>
#include <array>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <net/if.h>
#include <net/if_arp.h>
#include <optional>
#include <set>
#include <span>
#include <sys/socket.h>
#include <sys/uio.h>
#include <thread>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent::bench {

namespace {

constexpr std::uint16_t port = 9;
constexpr std::size_t payload = 18;  // the shortest Ethernet frame: 60 bytes and the check sequence
constexpr int burst = 64;

template <class T>
T value_of(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().what);
    return std::move(result).value();
}

/// The network namespace of the process while a block runs.
class Inside {
 public:
    explicit Inside(const std::string& file) : before_(open("/proc/self/ns/net")) {
        enter(open(file));
    }
    ~Inside() { ::setns(before_.get(), CLONE_NEWNET); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

 private:
    static Descriptor open(const std::string& file) {
        return Descriptor(check(::open(file.c_str(), O_RDONLY | O_CLOEXEC), file.c_str()));
    }
    static void enter(const Descriptor& there) {
        check(::setns(there.get(), CLONE_NEWNET), "setns");
    }

    Descriptor before_;
};

/// Both ends of the veth pair, each in its own namespace.
struct Cable {
    explicit Cable(const Options& options)
        : peer_namespace(options.text("peer-namespace")),
          address(options.text("peer-address")),
          here{index_of(options.text("interface")), options.text("interface"), ARPHRD_ETHER} {
        const Inside there(peer_namespace);
        const auto name = options.text("peer-interface");
        peer = {index_of(name), name, ARPHRD_ETHER};
    }

    static std::uint32_t index_of(const std::string& name) {
        const auto index = ::if_nametoindex(name.c_str());
        if (index == 0) fail(name);
        return index;
    }

    std::string peer_namespace;
    std::string address;
    Link here;
    Link peer;
};

class Flood {
 public:
    Flood(const Cable& cable, int cpu, int sink_cpu) : reads_itself_(cpu == sink_cpu) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        ::inet_pton(AF_INET, cable.address.c_str(), &to.sin_addr);
        const auto* address = reinterpret_cast<const sockaddr*>(&to);
        {
            const Inside there(cable.peer_namespace);
            sink_ = Descriptor(check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
            const int bytes = 4 << 20;
            ::setsockopt(sink_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
            const timeval timeout{1, 0};
            ::setsockopt(sink_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
            check(::bind(sink_.get(), address, sizeof(to)), "bind");
        }
        sender_ = Descriptor(check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
        check(::connect(sender_.get(), address, sizeof(to)), "connect");
        for (std::size_t i = 0; i < incoming_.size(); ++i) {
            vectors_[i] = {buffers_[i].data(), buffers_[i].size()};
            incoming_[i].msg_hdr.msg_iov = &vectors_[i];
            incoming_[i].msg_hdr.msg_iovlen = 1;
        }
        pin_to_cpu(cpu);
        if (!reads_itself_)
            reader_ = std::jthread([this, sink_cpu](const std::stop_token& stop) {
                pin_to_cpu(sink_cpu);
                while (!stop.stop_requested()) receive();
            });
    }

    struct Slice {
        std::uint64_t packets = 0;
        double packet_ns = 0;  // of the sender's CPU time, in the burst in the middle
        std::int64_t wall_ns = 0;
    };

    Slice run(double seconds) {
        Slice slice;
        const auto wall_began = bench::wall_ns();
        const auto end = wall_began + static_cast<std::int64_t>(seconds * 1e9);
        std::vector<std::int64_t> bursts;
        while (bench::wall_ns() < end) {
            const auto burst_began = thread_ns();
            for (int i = 0; i < burst; ++i)
                check(::send(sender_.get(), "a packet of media", payload, 0), "send");
            for (int left = reads_itself_ ? burst : 0; left > 0;) {
                const int received = receive();
                if (received <= 0) throw std::runtime_error("a packet was lost");
                left -= received;
            }
            bursts.push_back(thread_ns() - burst_began);
        }
        slice.packets = bursts.size() * burst;
        slice.packet_ns = static_cast<double>(quantile(bursts, 0.5)) / burst;
        slice.wall_ns = bench::wall_ns() - wall_began;
        return slice;
    }

 private:
    /// Waits for the first one; how many there were, or negative after a second without any.
    int receive() {
        return ::recvmmsg(sink_.get(), incoming_.data(), burst, MSG_WAITFORONE, nullptr);
    }

    bool reads_itself_;
    Descriptor sink_;
    Descriptor sender_;
    std::array<std::array<char, payload>, burst> buffers_{};
    std::array<iovec, burst> vectors_{};
    std::array<mmsghdr, burst> incoming_{};
    std::jthread reader_;  // last: it ends before its socket does
};

/// What counts, or does not, during one slice.
using Counting = std::shared_ptr<void>;

std::shared_ptr<EbpfProbe> load_agent() { return value_of(EbpfProbe::load()); }

/// Which end of the cable is the node. Frames go one way, so each meets one of its two hooks.
enum class Node { sends, receives };

/// Runs the block in the node's network namespace, with its interface.
template <class Block>
auto on_node(const Cable& cable, Node node, Block block) {
    if (node == Node::sends) return block(cable.here);
    const Inside there(cable.peer_namespace);
    return block(cable.peer);
}

std::shared_ptr<EbpfProbe> attach_agent(const Cable& cable, Node node) {
    return on_node(cable, node, [](const Link& link) {
        auto probe = load_agent();
        probe->select(std::span(&link.index, 1), true);
        probe->set_links(std::span(&link, 1), {});
        probe->attach_next();
        return probe;
    });
}

template <class Skeleton>
std::shared_ptr<Skeleton> loaded(Skeleton* skeleton, void (*destroy)(Skeleton*)) {
    if (skeleton == nullptr) fail("loading a benchmark's programs");
    return {skeleton, destroy};
}

std::string_view tracepoint_of(const bpf_program* program) {
    const std::string_view section = bpf_program__section_name(program);
    return section.substr(section.find('/') + 1);
}

/// The tracepoints on which the programs of this process sit, by the kernel's list of them.
std::set<std::string> own_tracepoints() {
    constexpr std::string_view prefix = "btf_trace_";
    const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
    std::set<std::string> found;
    for (const auto& file : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
        std::ifstream lines(file.path());
        std::string key;
        std::uint32_t id = 0;
        while (lines >> key && key != "prog_id:") {
        }
        if (!(lines >> id)) continue;
        const Descriptor program(bpf_prog_get_fd_by_id(id));
        bpf_prog_info info{};
        std::uint32_t size = sizeof(info);
        check(bpf_obj_get_info_by_fd(program.get(), &info, &size), "bpf_obj_get_info_by_fd");
        if (info.type != BPF_PROG_TYPE_TRACING) continue;
        const auto* type = btf__type_by_id(types.get(), info.attach_btf_id);
        const std::string_view name = btf__name_by_offset(types.get(), type->name_off);
        found.emplace(name.substr(prefix.size()));
    }
    return found;
}

/// Where the agent sits on this machine: that depends on the kernel and on how its CPUs idle.
const std::set<std::string>& tracepoints_of_agent() {
    static const auto found = [] {
        const auto agent = load_agent();
        return own_tracepoints();
    }();
    return found;
}

/// Programs that do nothing, wherever the agent has one.
Counting attach_empty(const Cable& cable, Node node) {
    struct Attached {
        std::shared_ptr<empty_bpf> programs;
        std::optional<TrafficHook> hook;
    };
    auto wanted = tracepoints_of_agent();
    auto all = std::make_shared<Attached>();
    all->programs = loaded(empty_bpf__open(), empty_bpf__destroy);
    bpf_program* program = nullptr;
    while ((program = bpf_object__next_program(all->programs->obj, program)) != nullptr)
        if (wanted.erase(std::string(tracepoint_of(program))) > 0)
            bpf_program__set_autoload(program, true);
    if (!wanted.empty()) throw std::runtime_error("no empty program for " + *wanted.begin());
    if (empty_bpf__load(all->programs.get()) != 0 || empty_bpf__attach(all->programs.get()) != 0)
        fail("attaching the empty programs");

    const auto& programs = all->programs->progs;
    const TrafficPrograms traffic{.receive = bpf_program__fd(programs.empty_receive),
                                  .transmit = bpf_program__fd(programs.empty_transmit)};
    on_node(cable, node, [&](const Link& link) {
        const auto clsact = best_hook_kind(traffic) == HookKind::tcx
                                ? nullptr
                                : value_of(TrafficControl::open(FilterHandle::claim()));
        all->hook = value_of(TrafficHook::attach(clsact, link.index, traffic));
    });
    return all;
}

/// Only those that a node's frames meet: on one machine, both ends of the cable are seen.
Counting attach_tracepoints(Node node) {
    auto programs = loaded(tracepoints_bpf__open(), tracepoints_bpf__destroy);
    const bool sends = node == Node::sends;
    bpf_program__set_autoload(programs->progs.on_receive, !sends);
    bpf_program__set_autoload(programs->progs.on_transmit, sends);
    bpf_program__set_autoload(programs->progs.on_transmitted, sends);
    if (tracepoints_bpf__load(programs.get()) != 0 || tracepoints_bpf__attach(programs.get()) != 0)
        fail("attaching to the tracepoints");
    return programs;
}

/// The frames of the slice, by the probe: a flood that is not counted says nothing of the cost.
void expect_counted(EbpfProbe& probe, const Cable& cable, Node node, std::uint64_t packets) {
    std::uint64_t counted = 0;
    for (const auto& interface : value_of(probe.read()).interfaces) {
        if (node == Node::sends && interface.index == cable.here.index)
            counted = interface.traffic.transmit_packets;
        if (node == Node::receives && interface.index == cable.peer.index)
            counted = interface.traffic.receive_packets;
    }
    if (counted < packets)
        throw std::runtime_error("the programs counted " + std::to_string(counted) + " frames of " +
                                 std::to_string(packets));
}

/// What a slice runs with; the check, if there is one, is for the end of the slice.
struct Attached {
    Counting counting;
    std::function<void(std::uint64_t packets)> check_count = [](std::uint64_t) {};
};

Attached checked_agent(const Cable& cable, Node node) {
    const auto probe = attach_agent(cable, node);
    return {probe, [probe, &cable, node](std::uint64_t packets) {
                expect_counted(*probe, cable, node, packets);
            }};
}

struct Variant {
    const char* name;
    std::function<Attached(const Cable&)> attach;
};

const std::array variants{
    Variant{"none", [](const Cable&) { return Attached{}; }},
    Variant{"agent, sends", [](const Cable& cable) { return checked_agent(cable, Node::sends); }},
    Variant{"empty, sends",
            [](const Cable& cable) { return Attached{attach_empty(cable, Node::sends)}; }},
    Variant{"tracepoints, sends",
            [](const Cable&) { return Attached{attach_tracepoints(Node::sends)}; }},
    Variant{"CPU programs alone", [](const Cable&) { return Attached{load_agent()}; }},
    Variant{"agent, receives",
            [](const Cable& cable) { return checked_agent(cable, Node::receives); }},
    Variant{"empty, receives",
            [](const Cable& cable) { return Attached{attach_empty(cable, Node::receives)}; }},
    Variant{"tracepoints, receives",
            [](const Cable&) { return Attached{attach_tracepoints(Node::receives)}; }},
};

nlohmann::json test_runs(const Cable& cable) {
    const auto agent = load_agent();
    const std::array links{cable.here};
    agent->select(std::span(&cable.here.index, 1), true);
    agent->set_links(links, {});
    agent->attach_next();
    const auto empty = loaded(empty_bpf__open_and_load(), empty_bpf__destroy);
    const auto index = cable.here.index;
    const auto program_ns = [](int program, std::uint32_t interface) {
        return one_run_ns(program, interface, 9);
    };
    return {{"receive", program_ns(agent->programs().receive.get(), index)},
            {"transmit", program_ns(agent->programs().transmit.get(), index)},
            {"empty", program_ns(bpf_program__fd(empty->progs.empty_receive), index)}};
}

nlohmann::json run(const Options& options) {
    spdlog::set_level(spdlog::level::off);
    const Cable cable(options);
    tracepoints_of_agent();  // before there are other programs
    Flood flood(cable, options.number("cpu"), options.number("sink-cpu"));
    flood.run(options.seconds("slice"));  // warms up, and finds the neighbour

    auto rounds = nlohmann::json::array();
    for (int round = 0; round < options.number("rounds"); ++round) {
        auto order = variants;
        if (round % 2 == 1) std::ranges::reverse(order);
        nlohmann::json row;
        for (const auto& variant : order) {
            const auto attached = variant.attach(cable);
            const auto slice = flood.run(options.seconds("slice"));
            attached.check_count(slice.packets);
            const auto packets = static_cast<double>(slice.packets);
            row[variant.name] = {{"ns", slice.packet_ns},
                                 {"per_second", packets * 1e9 / double(slice.wall_ns)}};
        }
        rounds.push_back(row);
        std::cerr << '.' << std::flush;
    }
    std::cerr << '\n';
    return {{"rounds", rounds},
            {"tracepoints_of_agent", tracepoints_of_agent()},
            {"test_run", test_runs(cable)}};
}

}  // namespace

}  // namespace wcs_node_agent::bench

int main(int argc, char** argv) {
    return wcs_node_agent::bench::report(wcs_node_agent::bench::run, {argc, argv});
}
