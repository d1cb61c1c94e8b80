// SPDX-License-Identifier: Apache-2.0
/// Exactness along a path: whatever aggregates packets and splits them again on the way, every
/// point counts the frames and bytes that cross the wire.
#include "network.hpp"

#include <array>
#include <functional>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sstream>
#include <tuple>

#include <bpf/bpf.h>
#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

/// How the frames of a path differ from plain ones.
enum class Tags {
    none,
    beside,          // one VLAN tag, which travels beside the frame
    in_frame,        // one VLAN tag, put into the frame by the sending interface
    double_beside,   // 802.1ad beside the frame, 802.1Q in it
    double_in_frame  // both in it
};

constexpr std::string_view to_string(Tags tags) {
    constexpr std::array<std::string_view, 5> words{"untagged", "tag_beside", "tag_in_frame",
                                                    "two_tags_one_beside", "two_tags_in_frame"};
    return words[static_cast<std::size_t>(tags)];
}

enum class Middle { bridge, router };

using Program = std::vector<bpf_insn>;

void call(Program& program, int helper) {
    program.push_back({BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_6, 0, 0});
    program.push_back({BPF_JMP | BPF_CALL, 0, 0, 0, helper});
}

void push_tag(Program& program, std::uint16_t protocol, int tag) {
    program.push_back({BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, htons(protocol)});
    program.push_back({BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, tag});
    call(program, BPF_FUNC_skb_vlan_push);
}

/// A program that does something to each packet and leaves the decision to those behind it.
Descriptor load(const std::function<void(Program&)>& work) {
    Program program{{BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0}};
    work(program);
    program.push_back({BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, -1});
    program.push_back({BPF_JMP | BPF_EXIT, 0, 0, 0, 0});
    Descriptor loaded(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tags", "GPL", program.data(),
                                    program.size(), nullptr));
    EXPECT_TRUE(loaded);
    return loaded;
}

/// sender (near) --- (left) middle (right) --- (far) receiver. The middle splits what it sends, in
/// both directions, so that the packets of left and right are frames on the wire; both ends
/// aggregate what comes.
class Path : public testing::Test {
 protected:
    void build(Middle kind, Tags tags) {
        tags_ = tags;
        for (const auto* host : {&sender_, &middle_, &receiver_}) quieten(*host);
        connect(sender_, "near", "02:00:00:00:00:01", middle_, "left", "02:00:00:00:00:02");
        connect(middle_, "right", "02:00:00:00:00:03", receiver_, "far", "02:00:00:00:00:04");
        const bool routed = kind == Middle::router;
        give_address(sender_, "near", "1", "2", routed ? "02:00:00:00:00:02" : "02:00:00:00:00:04");
        give_address(receiver_, "far", "2", "1",
                     routed ? "02:00:00:00:00:03" : "02:00:00:00:00:01");
        if (routed) {
            middle_.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
            give_route(middle_, "left", "1", "02:00:00:00:00:01");
            give_route(middle_, "right", "2", "02:00:00:00:00:04");
        } else {
            middle_.run("ip link add bridge up type bridge mcast_snooping 0");
            middle_.run("ip link set left master bridge");
            middle_.run("ip link set right master bridge");
        }
        for (const auto* own : {"left", "right"})
            middle_.run(std::string("ethtool -K ") + own +
                        " tso off gso off tx-udp-segmentation off");
        sender_.run("ethtool -K near gro on");
        receiver_.run("ethtool -K far gro on");
        if (routed) {  // and aggregates on the way what the ends have split
            sender_.run("ethtool -K near tso off gso off tx-udp-segmentation off");
            receiver_.run("ethtool -K far tso off gso off tx-udp-segmentation off");
            middle_.run("ethtool -K left gro on");
            middle_.run("ethtool -K right gro on");
        }
        if (tags == Tags::none) return;
        if (tags == Tags::in_frame || tags == Tags::double_in_frame) {
            for (const auto& [host, own] : points())
                host->run("ethtool -K " + std::string(own) +
                          " txvlan off tx-vlan-stag-hw-insert off");
        }
        attach_tagging(sender_, "near");
        attach_tagging(receiver_, "far");
    }

    static constexpr std::array<const char*, 2> to_receiver{"10.77.0.2", "fd77::2"};
    static constexpr std::array<const char*, 2> to_sender{"10.77.0.1", "fd77::1"};

    std::vector<std::pair<const NetworkNamespace*, const char*>> points() const {
        return {{&sender_, "near"}, {&middle_, "left"}, {&middle_, "right"}, {&receiver_, "far"}};
    }

    std::uint64_t tag_bytes() const {
        if (tags_ == Tags::none) return 0;
        return tags_ == Tags::beside || tags_ == Tags::in_frame ? 4 : 8;
    }

    /// The wire's truth at a sending end in the middle: its own packets are frames; its own bytes
    /// are without the MAC header, since the peer aggregates, and without a tag beside the frame.
    InterfaceCounters truth(const char* interface) const {
        auto own = own_counters(middle_, interface);
        const bool tag_beside = tags_ == Tags::beside || tags_ == Tags::double_beside;
        own.traffic.transmit_bytes +=
            own.traffic.transmit_packets * (ETH_HLEN + (tag_beside ? 4 : 0));
        return own;
    }

    /// Packets that the IP stack of a host took in, aggregates as one.
    static std::uint64_t packets_taken_in(const NetworkNamespace& host) {
        std::istringstream ipv4(host.run("sh -c \"grep ^Ip: /proc/net/snmp | tail -n 1\""));
        std::istringstream ipv6(host.run("grep Ip6InReceives /proc/net/snmp6"));
        std::string word;
        std::uint64_t in_ipv4 = 0;
        std::uint64_t in_ipv6 = 0;
        ipv4 >> word >> word >> word >> in_ipv4;
        ipv6 >> word >> in_ipv6;
        return in_ipv4 + in_ipv6;
    }

    /// What went from the sender to the receiver.
    struct Sent {
        std::uint64_t frames;
        std::uint64_t bytes;
        std::uint64_t taken_in;  // by the receiver's IP stack, aggregates as one
    };

    using Points = std::array<const InterfaceCounters*, 2>;

    static void expect_equal(std::uint64_t frames, std::uint64_t bytes, Points senders,
                             Points receivers) {
        for (const auto* point : senders) {
            EXPECT_EQ(point->traffic.transmit_packets, frames) << point->name;
            EXPECT_EQ(point->traffic.transmit_bytes, bytes) << point->name;
        }
        for (const auto* point : receivers) {
            EXPECT_EQ(point->traffic.receive_packets, frames) << point->name;
            EXPECT_EQ(point->traffic.receive_bytes, bytes) << point->name;
        }
    }

    /// Every point counts what crosses the wire while this runs, in both directions.
    Sent expect_exact_counts(HookKind hook, const std::function<void()>& send) {
        Watch sender(sender_, {.hook = hook});
        Watch middle(middle_, {.hook = hook});
        Watch receiver(receiver_, {.hook = hook});
        const auto right_before = truth("right");
        const auto left_before = truth("left");
        const auto taken_in_before = packets_taken_in(receiver_);
        send();

        const auto near = sender.counters("near");
        const auto left = middle.counters("left");
        const auto right = middle.counters("right");
        const auto far = receiver.counters("far");
        const auto right_now = truth("right");
        const auto left_now = truth("left");

        const auto frames =
            right_now.traffic.transmit_packets - right_before.traffic.transmit_packets;
        const auto bytes = right_now.traffic.transmit_bytes - right_before.traffic.transmit_bytes;
        RecordProperty("frames", fmt::format("{} {}", near.traffic.transmit_packets, frames));
        RecordProperty("bytes", fmt::format("{} {}", near.traffic.transmit_bytes, bytes));
        expect_equal(frames, bytes, {&near, &right}, {&left, &far});
        expect_equal(left_now.traffic.transmit_packets - left_before.traffic.transmit_packets,
                     left_now.traffic.transmit_bytes - left_before.traffic.transmit_bytes,
                     {&far, &left}, {&right, &near});
        return {frames, bytes, packets_taken_in(receiver_) - taken_in_before};
    }

    /// A tunnel over IPv4, and one over IPv6, whose outer UDP has a checksum; both carry both.
    void add_vxlans() const {
        add_vxlan(sender_, "near", "1", "2");
        add_vxlan(receiver_, "far", "2", "1");
    }

    /// Something of everything that is aggregated and split, in both directions.
    void send_mix(std::size_t tcp_bytes) {
        constexpr std::uint16_t port = 5001;
        constexpr int small_mss = 536;
        std::vector<Descriptor> sinks;
        for (const auto* host : {&sender_, &receiver_})
            for (const int family : {AF_INET, AF_INET6}) {
                sinks.push_back(udp_sink(*host, port, family));
                constexpr int on = 1;
                ::setsockopt(sinks.back().get(), SOL_UDP, UDP_GRO, &on, sizeof(on));
            }
        for (const std::size_t family : {0U, 1U}) {
            for (const int mss : {0, small_mss}) {
                send_tcp(sender_, receiver_, to_receiver[family], port, tcp_bytes / 8, mss);
                send_tcp(receiver_, sender_, to_sender[family], port, tcp_bytes / 8, mss);
            }
            send_udp(sender_, to_receiver[family], port, 20'000, 1, 60);
            send_udp(receiver_, to_sender[family], port, 20'000, 172, 60);
            // 41 frames each, the last one shorter
            send_udp(sender_, to_receiver[family], port, 1'000, 40 * 1'200 + 7, 2, 1'200);
            send_udp(receiver_, to_sender[family], port, 1'000, 40 * 1'200 + 7, 2, 1'200);
        }
    }

    NetworkNamespace sender_{"wna-sender" + std::to_string(::getpid())};
    NetworkNamespace middle_{"wna-middle" + std::to_string(::getpid())};
    NetworkNamespace receiver_{"wna-receiver" + std::to_string(::getpid())};

 private:
    /// Nobody speaks by himself: what multicast groups must know is sent at once.
    static void quieten(const NetworkNamespace& host) {
        for (const auto* scope : {"all", "default"})
            host.run(
                std::string("sysctl -qw net.ipv6.conf.") + scope + ".accept_ra=0 net.ipv6.conf." +
                scope + ".router_solicitations=0 net.ipv6.conf." + scope +
                ".addr_gen_mode=1 net.ipv6.conf." + scope + ".mldv2_unsolicited_report_interval=1");
    }

    static void connect(const NetworkNamespace& one, const std::string& own,
                        const std::string& address, const NetworkNamespace& other,
                        const std::string& peer, const std::string& peer_address) {
        run("ip link add " + own + " address " + address + " netns " + one.name() +
            " type veth peer name " + peer + " address " + peer_address + " netns " + other.name());
        // with room for a second tag
        one.run("ip link set " + own + " mtu 1504 up");
        other.run("ip link set " + peer + " mtu 1504 up");
    }

    static void give_route(const NetworkNamespace& host, const std::string& own,
                           const std::string& to, const std::string& lladdr) {
        for (const auto& peer : {"10.77.0." + to, "fd77::" + to}) {
            host.run("ip route add " + peer + " dev " + own + " mtu 1500");
            host.run("ip neighbour replace " + peer + " lladdr " + lladdr + " dev " + own +
                     " nud permanent");
        }
    }

    static void give_address(const NetworkNamespace& host, const std::string& own,
                             const std::string& number, const std::string& peer,
                             const std::string& lladdr) {
        host.run("ip address add 10.77.0." + number + "/32 dev " + own);
        host.run("ip address add fd77::" + number + "/128 dev " + own + " nodad");
        give_route(host, own, peer, lladdr);
    }

    static void add_vxlan(const NetworkNamespace& host, const std::string& underlay,
                          const std::string& number, const std::string& peer) {
        for (const std::string family : {"4", "6"}) {
            const auto own = "vx" + family;
            const std::string outer = family == "4" ? "10.77.0." : "fd77::";
            const auto address = "02:00:00:00:0" + family + ":0";
            host.run("ip link add " + own + " address " + address + number +
                     " mtu 1400 up type vxlan id " + family + " dstport 4789 dev " + underlay +
                     " local " + outer + number + " remote " + outer + peer);
            host.run("ip address add 10.78." + family + "." + number + "/24 dev " + own);
            host.run("ip address add fd78:" + family + "::" + number + "/64 nodad dev " + own);
            for (const auto& inner :
                 {"10.78." + family + "." + peer, "fd78:" + family + "::" + peer})
                host.run("ip neighbour replace " + inner + " lladdr " + address + peer + " dev " +
                         own + " nud permanent");
        }
    }

    /// Tags what leaves before it is counted, and takes the tags off after it is counted. (Not with
    /// clsact: TCX programs come first there, in both directions.)
    void attach_tagging(const NetworkNamespace& host, const char* interface) {
        const bool twice = tags_ == Tags::double_beside || tags_ == Tags::double_in_frame;
        const auto push = load([&](Program& program) {
            push_tag(program, ETH_P_8021Q, 0x2007);
            if (twice) push_tag(program, ETH_P_8021AD, 0x0008);
        });
        const auto pop = load([&](Program& program) {
            call(program, BPF_FUNC_skb_vlan_pop);
            if (twice) call(program, BPF_FUNC_skb_vlan_pop);
        });
        constexpr auto ingress = static_cast<bpf_attach_type>(46);
        constexpr auto egress = static_cast<bpf_attach_type>(47);
        host.inside([&] {
            const auto index = static_cast<int>(::if_nametoindex(interface));
            tagging_.emplace_back(bpf_link_create(push.get(), index, egress, nullptr));
            EXPECT_TRUE(tagging_.back());
            tagging_.emplace_back(bpf_link_create(pop.get(), index, ingress, nullptr));
            EXPECT_TRUE(tagging_.back());
        });
    }

    Tags tags_ = Tags::none;
    std::vector<Descriptor> tagging_;
};

/// Whether packets of more than 64 KiB come by on an interface.
class BigPackets {
 public:
    BigPackets(const NetworkNamespace& where, const char* interface) {
        where.inside([&] {
            socket_ = Descriptor(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
            std::array<sock_filter, 4> longer{{{BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
                                               {BPF_JMP | BPF_JGT | BPF_K, 0, 1, 65'536},
                                               {BPF_RET | BPF_K, 0, 0, 1},
                                               {BPF_RET | BPF_K, 0, 0, 0}}};
            const sock_fprog filter{longer.size(), longer.data()};
            EXPECT_EQ(
                ::setsockopt(socket_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)),
                0);
            sockaddr_ll all{};
            all.sll_family = AF_PACKET;
            all.sll_protocol = htons(ETH_P_ALL);
            all.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
            EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&all), sizeof(all)),
                      0);
        });
    }
    bool seen() const {
        char byte = 0;
        return ::recv(socket_.get(), &byte, 1, MSG_DONTWAIT) > 0;
    }

 private:
    Descriptor socket_;
};

struct PathCase {
    HookKind hook;
    Middle middle;
    Tags tags;
    std::size_t tcp_bytes;
};

class ExactPath : public Path, public testing::WithParamInterface<PathCase> {};

constexpr std::size_t mebi = std::size_t{1} << 20;

INSTANTIATE_TEST_SUITE_P(
    EachWay, ExactPath,
    testing::Values(PathCase{HookKind::tcx, Middle::bridge, Tags::none, 640 * mebi},
                    PathCase{HookKind::tcx, Middle::router, Tags::none, 256 * mebi},
                    PathCase{HookKind::clsact, Middle::bridge, Tags::none, 256 * mebi},
                    PathCase{HookKind::clsact, Middle::router, Tags::none, 64 * mebi},
                    PathCase{HookKind::tcx, Middle::bridge, Tags::beside, 64 * mebi},
                    PathCase{HookKind::tcx, Middle::bridge, Tags::in_frame, 64 * mebi},
                    PathCase{HookKind::tcx, Middle::bridge, Tags::double_beside, 64 * mebi},
                    PathCase{HookKind::tcx, Middle::bridge, Tags::double_in_frame, 64 * mebi}),
    [](const auto& row) {
        return std::string(to_string(row.param.hook)) +
               (row.param.middle == Middle::bridge ? "_bridge_" : "_router_") +
               std::string(to_string(row.param.tags));
    });

TEST_P(ExactPath, EveryPointCountsWhatCrossesTheWire) {
    build(GetParam().middle, GetParam().tags);
    const auto sent = expect_exact_counts(GetParam().hook, [&] { send_mix(GetParam().tcp_bytes); });
    EXPECT_GT(sent.bytes, GetParam().tcp_bytes / 2 + sent.frames * (54 + tag_bytes()))
        << "headers included";
    // Without the kernel's VLAN module nobody aggregates what has its tag in the frame.
    if (GetParam().tags == Tags::none || GetParam().tags == Tags::beside) {
        EXPECT_LT(sent.taken_in, sent.frames / 2)
            << "else nothing was aggregated, and this shows nothing";
    }
}

class ExactHeaders : public Path, public testing::WithParamInterface<HookKind> {};

INSTANTIATE_TEST_SUITE_P(EachWay, ExactHeaders, testing::Values(HookKind::tcx, HookKind::clsact),
                         [](const auto& row) { return std::string(to_string(row.param)); });

TEST_P(ExactHeaders, VxlanCountsItsOuterFrames) {
    build(Middle::bridge, Tags::none);
    add_vxlans();
    constexpr std::size_t tcp_bytes = 8 * mebi;
    for (const auto* to : {"10.78.4.2", "fd78:4::2", "10.78.6.2", "fd78:6::2"}) {
        SCOPED_TRACE(to);
        const auto sent = expect_exact_counts(
            GetParam(), [&] { send_tcp(sender_, receiver_, to, 5001, tcp_bytes); });
        EXPECT_GT(sent.bytes, tcp_bytes + sent.frames * (50 + 54)) << "outer headers included";
        // Each packet is taken in twice, outside and inside.
        EXPECT_LT(sent.taken_in, sent.frames)
            << "else nothing was aggregated, and this shows nothing";
    }
}

TEST_P(ExactHeaders, ExtensionHeadersStandInEveryFrame) {
    build(Middle::bridge, Tags::none);
    constexpr std::size_t tcp_bytes = 8 * mebi;
    const auto sent = expect_exact_counts(GetParam(), [&] {
        send_tcp(sender_, receiver_, to_receiver[1], 5001, tcp_bytes, 0, IPV6_DSTOPTS);
    });
    EXPECT_GT(sent.bytes, tcp_bytes + sent.frames * (74 + 8)) << "the extension header included";
}

TEST_P(ExactHeaders, ExtensionHeadersStandInEveryDatagram) {
    build(Middle::bridge, Tags::none);
    std::vector<Descriptor> sinks;
    sinks.push_back(udp_sink(receiver_, 5001, AF_INET6));
    constexpr int on = 1;
    ::setsockopt(sinks.back().get(), SOL_UDP, UDP_GRO, &on, sizeof(on));
    for (const int extension : {IPV6_DSTOPTS, IPV6_HOPOPTS}) {
        SCOPED_TRACE(extension);
        const auto send = [&](int datagrams) {
            send_udp(sender_, to_receiver[1], 5001, datagrams, 40 * 1'200 + 7, 2, 1'200, extension);
        };
        try {
            send(1);
        } catch (const std::system_error& error) {
            if (error.code() != std::errc::io_error) throw;
            GTEST_SKIP() << "this kernel does not split such datagrams";
        }
        const auto sent = expect_exact_counts(GetParam(), [&] { send(1'000); });
        EXPECT_EQ(sent.frames, 41'000u);
        EXPECT_EQ(sent.bytes, 1'000 * (40 * 1'200 + 7) + sent.frames * (62 + 8));
    }
}

/// Of 64 KiB and more, IPv6 packets have a hop-by-hop header with their length (BIG TCP, from Linux
/// 5.19): the kernel puts it in and takes it out, and no frame has it.
TEST_P(ExactHeaders, TheJumboHeaderOfBigTcpIsNotOnTheWire) {
    build(Middle::bridge, Tags::none);
    for (const auto& [host, own] : points()) {
        try {
            host->run("ip link set " + std::string(own) +
                      " gso_max_size 185000 gro_max_size 185000");
        } catch (const std::runtime_error&) {
            GTEST_SKIP() << "this kernel has no BIG TCP (from Linux 5.19)";
        }
    }
    const BigPackets near(sender_, "near");
    const BigPackets far(receiver_, "far");
    constexpr std::size_t tcp_bytes = 32 * mebi;
    const auto sent = expect_exact_counts(GetParam(), [&] {
        send_tcp(sender_, receiver_, to_receiver[1], 5001, tcp_bytes, 0, 0, 200 * 1024);
    });
    EXPECT_GT(sent.bytes, tcp_bytes + sent.frames * 74);
    EXPECT_TRUE(near.seen()) << "else this shows nothing";
    EXPECT_TRUE(far.seen()) << "else this shows nothing";
}

}  // namespace
}  // namespace wcs_node_agent
