// SPDX-License-Identifier: Apache-2.0
/// Made-up packets: whoever has a packet socket or a tap chooses the virtio header, and with it the
/// size of the segments and the place of the checksum. What is counted stays within what the packet
/// can be, and what is subtracted within what was counted.
#include "kernel/mapped_array.hpp"
#include "kernel/traffic_sources.hpp"
#include "network.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <random>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <tuple>
#include <unistd.h>

#include <bpf/bpf.h>
#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// struct virtio_net_hdr; its header file is not C++.
struct VirtioHeader {
    std::uint8_t flags = 0;
    std::uint8_t gso_type = 0;
    std::uint16_t hdr_len = 0;
    std::uint16_t gso_size = 0;
    std::uint16_t csum_start = 0;
    std::uint16_t csum_offset = 0;
};
static_assert(sizeof(VirtioHeader) == 10);
constexpr std::uint8_t needs_checksum = 1;

constexpr std::uint8_t gso_none = 0;
constexpr std::uint8_t gso_tcp4 = 1;
constexpr std::uint8_t gso_ufo = 3;  // UDP in IP fragments
constexpr std::uint8_t gso_tcp6 = 4;
constexpr std::uint8_t gso_udp = 5;  // UDP in datagrams, from Linux 6.2

constexpr std::uint16_t tcp_checksum = 16;
constexpr std::uint16_t udp_checksum = 6;
constexpr std::size_t longest_headers = 6 * 2'048 + 600;  // with six extension headers of IPv6

struct Frames {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    bool operator==(const Frames&) const = default;
    Frames operator-(const Frames& before) const {
        return {packets - before.packets, bytes - before.bytes};
    }
    friend void PrintTo(const Frames& frames, std::ostream* out) {
        *out << frames.packets << " frames, " << frames.bytes << " bytes";
    }
};

Frames sent(const InterfaceCounters& counters) {
    return {counters.traffic.transmit_packets, counters.traffic.transmit_bytes};
}

Frames received(const InterfaceCounters& counters) {
    return {counters.traffic.receive_packets, counters.traffic.receive_bytes};
}

void put16(Bytes& bytes, std::size_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
    bytes.push_back(static_cast<std::uint8_t>(value));
}

Bytes operator+(Bytes one, const Bytes& other) {
    one.insert(one.end(), other.begin(), other.end());
    return one;
}

Bytes ethernet(std::uint16_t protocol) {
    Bytes bytes{0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01};
    put16(bytes, protocol);
    return bytes;
}

Bytes ipv4(std::uint8_t protocol, const Bytes& inner) {
    Bytes bytes{0x45, 0};
    put16(bytes, 20 + inner.size());
    bytes = bytes + Bytes{0, 1, 0, 0, 64, protocol, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2};
    std::size_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) sum += bytes[i] * 256U + bytes[i + 1];
    const auto checksum = ~(sum + (sum >> 16));
    bytes[10] = static_cast<std::uint8_t>(checksum >> 8);
    bytes[11] = static_cast<std::uint8_t>(checksum);
    return bytes + inner;
}

Bytes ipv6(std::uint8_t protocol, const Bytes& inner) {
    Bytes bytes{0x60, 0, 0, 0};
    put16(bytes, inner.size());
    bytes.push_back(protocol);
    bytes.push_back(64);
    for (const auto last : Bytes{1, 2}) {
        Bytes address(16);
        address.front() = 0xfd;
        address.back() = last;
        bytes = bytes + address;
    }
    return bytes + inner;
}

/// data_offset: as the header has it, in words.
Bytes tcp(std::size_t payload, std::uint8_t data_offset = 5) {
    Bytes bytes(20 + payload, 'x');
    bytes[12] = static_cast<std::uint8_t>(data_offset << 4);
    bytes[13] = 0x10;  // ACK
    return bytes;
}

Bytes udp(std::size_t payload) {
    Bytes bytes{0x13, 0x88, 0x13, 0x88};
    put16(bytes, 8 + payload);
    put16(bytes, 0);
    return bytes + Bytes(payload, 'x');
}

Bytes destination_options(std::uint8_t next, const Bytes& inner) {
    return Bytes{next, 0, 1, 4, 0, 0, 0, 0} + inner;
}

/// In host order, as packet sockets and taps take it.
VirtioHeader header(std::uint8_t type, std::uint16_t size, std::uint16_t checksum_start,
                    std::uint16_t checksum) {
    VirtioHeader made;
    made.flags = needs_checksum;
    made.gso_type = type;
    made.hdr_len = 256;
    made.gso_size = size;
    made.csum_start = checksum_start;
    made.csum_offset = checksum;
    return made;
}

enum class Truth {
    device,     // what the sending device itself counts, which splits nothing
    one_frame,  // the packet as it is
    bounds      // the kernel may refuse it behind the hook
};

struct MadeUp {
    const char* name;
    VirtioHeader header;
    Bytes frame;
    Truth truth;
};

/// The most that one such packet can be, whatever it says of itself.
Frames most(const VirtioHeader& header, std::size_t length) {
    const std::size_t frames =
        header.gso_type == gso_none || header.gso_size == 0 ? 1 : length / header.gso_size + 1;
    return {frames, length + frames * (longest_headers + 8)};
}

std::vector<MadeUp> made_up() {
    constexpr std::uint16_t ip4 = ETH_P_IP;
    constexpr std::uint16_t ip6 = ETH_P_IPV6;
    return {
        {"less_payload_than_none", header(gso_tcp4, 1, 34, tcp_checksum),
         ethernet(ip4) + ipv4(6, tcp(6, 15)), Truth::one_frame},
        {"no_payload", header(gso_tcp4, 1, 34, tcp_checksum), ethernet(ip4) + ipv4(6, tcp(40, 15)),
         Truth::one_frame},
        {"less_payload_than_none_ipv6", header(gso_tcp6, 1, 54, tcp_checksum),
         ethernet(ip6) + ipv6(6, tcp(6, 15)), Truth::one_frame},
        {"segments_of_one_byte", header(gso_tcp4, 1, 34, tcp_checksum),
         ethernet(ip4) + ipv4(6, tcp(100)), Truth::device},
        {"one_byte_more_than_a_segment", header(gso_tcp4, 1'000, 34, tcp_checksum),
         ethernet(ip4) + ipv4(6, tcp(1'001)), Truth::device},
        {"tcp_of_a_guest", header(gso_tcp4, 1'448, 34, tcp_checksum),
         ethernet(ip4) + ipv4(6, tcp(30'000, 8)), Truth::device},
        {"tcp_of_a_guest_in_a_vlan", header(gso_tcp4, 1'448, 38, tcp_checksum),
         ethernet(ETH_P_8021Q) + Bytes{0x00, 0x07, 0x08, 0x00} + ipv4(6, tcp(30'000)),
         Truth::device},
        {"ip_fragments_of_a_guest", header(gso_ufo, 1'480, 34, udp_checksum),
         ethernet(ip4) + ipv4(17, udp(20'000)), Truth::device},
        {"ipv6_fragments_of_a_guest", header(gso_ufo, 1'448, 54, udp_checksum),
         ethernet(ip6) + ipv6(17, udp(20'000)), Truth::device},
        {"datagrams_of_a_guest", header(gso_udp, 1'200, 34, udp_checksum),
         ethernet(ip4) + ipv4(17, udp(20'000)), Truth::device},
        {"datagrams_behind_destination_options", header(gso_udp, 1'200, 62, udp_checksum),
         ethernet(ip6) + ipv6(60, destination_options(17, udp(20'000))), Truth::device},
        {"checksum_far_into_the_payload", header(gso_tcp4, 1, 2'000, tcp_checksum),
         ethernet(ip4) + ipv4(6, tcp(4'000)), Truth::bounds},
        {"checksum_far_into_the_datagram", header(gso_udp, 32, 2'000, udp_checksum),
         ethernet(ip4) + ipv4(17, udp(4'000)), Truth::bounds},
        {"checksum_at_the_end", header(gso_tcp4, 1, 4'030, tcp_checksum),
         ethernet(ip4) + ipv4(6, tcp(4'000)), Truth::bounds},
        {"checksum_before_the_transport_header", header(gso_tcp4, 100, 34, tcp_checksum),
         ethernet(ip6) + ipv6(6, tcp(4'000)), Truth::bounds},
        {"no_protocol_that_has_segments", header(gso_tcp4, 1, 34, tcp_checksum),
         ethernet(ip4) + ipv4(250, Bytes(1'000, 'x')), Truth::bounds},
    };
}

/// Sends frames as they are, behind a virtio header, over wan.
class PacketSocket {
 public:
    explicit PacketSocket(const NetworkNamespace& where) {
        where.inside([&] {
            socket_ = Descriptor(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
            constexpr int on = 1;
            EXPECT_EQ(::setsockopt(socket_.get(), SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
            out_.sll_ifindex = static_cast<int>(::if_nametoindex("wan"));
        });
        out_.sll_family = AF_PACKET;
    }

    /// Whether the kernel took it. ENOBUFS: the queue dropped it; ENOMEM: it could not be split.
    bool send(VirtioHeader header, const Bytes& frame) {
        header.hdr_len = std::min(header.hdr_len, static_cast<std::uint16_t>(frame.size()));
        std::array<iovec, 2> parts{
            {{&header, sizeof(header)}, {const_cast<std::uint8_t*>(frame.data()), frame.size()}}};
        // the kernel asks it where the virtio header says nothing
        out_.sll_protocol = static_cast<std::uint16_t>(frame[12] | frame[13] << 8);
        msghdr message{};
        message.msg_name = &out_;
        message.msg_namelen = sizeof(out_);
        message.msg_iov = parts.data();
        message.msg_iovlen = parts.size();
        return ::sendmsg(socket_.get(), &message, 0) >= 0 || errno == ENOBUFS || errno == ENOMEM;
    }

    /// Plain frames of 1,000 bytes.
    void send_plain(int frames) {
        const auto frame = ethernet(ETH_P_IP) + ipv4(17, udp(plain_length - 42));
        for (int i = 0; i < frames; ++i) EXPECT_TRUE(send({}, frame));
    }
    static constexpr std::size_t plain_length = 1'000;

 private:
    Descriptor socket_;
    sockaddr_ll out_{};
};

/// The sending interface splits nothing itself, so its own packets are frames.
class Hostile : public TwoHosts, public testing::WithParamInterface<HookKind> {
 protected:
    void SetUp() override {
        if (!kernel_has(GetParam())) GTEST_SKIP() << "this kernel has no TCX (from Linux 6.6)";
        TwoHosts::SetUp();
        here_.run("ethtool -K wan tso off gso off tx-udp-segmentation off");
    }

    /// A queue that is full and hardly sends anything.
    void fill_queue(PacketSocket& socket, const std::string& kind) {
        if (kind == "tbf") {  // splits what it cannot take as it is
            here_.run("tc qdisc add dev wan root tbf rate 8kbit burst 2kb limit 5kb");
        } else {
            here_.run("tc qdisc add dev wan root handle 1: htb default 1");
            here_.run("tc class add dev wan parent 1: classid 1:1 htb rate 8kbit");
            here_.run("tc qdisc add dev wan parent 1:1 pfifo limit 2");
        }
        socket.send_plain(10);
    }

    std::int64_t drops() {
        std::int64_t drops = 0;
        for (const auto& one : nlohmann::json::parse(here_.run("tc -s -j qdisc show dev wan")))
            if (one.contains("root")) drops = one.at("drops");
        return drops;
    }

    /// A subtraction of more than was counted would be made up for first: a counter never falls.
    void expect_growth(Watch& watch, PacketSocket& socket) {
        here_.run("tc qdisc del dev wan root");
        const auto before = sent(watch.counters("wan"));
        socket.send_plain(100);
        EXPECT_EQ(sent(watch.counters("wan")) - before,
                  (Frames{100, 100 * PacketSocket::plain_length}));
    }
};

/// What the programs that were loaded last counted and dropped, on all CPUs and interfaces: before
/// it is made a counter that never falls.
class RawCounts {
 public:
    RawCounts() {
        for (std::uint32_t id = 0; bpf_map_get_next_id(id, &id) == 0;) {
            const Descriptor map(bpf_map_get_fd_by_id(id));
            bpf_map_info info{};
            std::uint32_t size = sizeof(info);
            if (!map || bpf_obj_get_info_by_fd(map.get(), &info, &size) != 0) continue;
            if (std::string_view(static_cast<const char*>(info.name)) != "traffic") continue;
            values_ = MappedArray<::traffic>::map(map.get(), info.max_entries).value();
        }
    }

    TrafficInSlot now() const {
        TrafficInSlot sum;
        for (const auto& one : values_->values()) sum.add(one);
        return sum;
    }

 private:
    std::optional<MappedArray<::traffic>> values_;
};

/// Of what was added since before, no more was dropped than counted.
void expect_no_more_dropped(const TrafficInSlot& before, const TrafficInSlot& now) {
    const auto added = [&](Traffic TrafficInSlot::*what, std::uint64_t Traffic::*value) {
        return now.*what.*value - before.*what.*value;
    };
    for (const auto value : {&Traffic::transmit_packets, &Traffic::transmit_bytes})
        EXPECT_LE(added(&TrafficInSlot::dropped, value), added(&TrafficInSlot::counted, value));
}

INSTANTIATE_TEST_SUITE_P(EachKind, Hostile, testing::Values(HookKind::tcx, HookKind::clsact),
                         [](const auto& row) { return std::string(to_string(row.param)); });

TEST_P(Hostile, MadeUpPacketsAreNoMoreThanTheyCanBe) {
    Watch here(here_, {.hook = GetParam()});
    PacketSocket socket(here_);
    int rows = 0;
    for (const auto& made : made_up()) {
        SCOPED_TRACE(made.name);
        const auto own_before = sent(own_counters(here_, "wan"));
        const auto before = sent(here.counters("wan"));
        constexpr int packets = 20;
        int taken = 0;
        while (taken < packets && socket.send(made.header, made.frame)) ++taken;
        if (taken == 0) continue;  // not by this kernel
        ++rows;
        const auto own = sent(own_counters(here_, "wan")) - own_before;
        const auto counted = sent(here.counters("wan")) - before;
        const auto bound = most(made.header, made.frame.size());
        EXPECT_GE(counted.packets, packets);
        EXPECT_GE(counted.bytes, packets * made.frame.size());
        EXPECT_LE(counted.packets, packets * bound.packets);
        EXPECT_LE(counted.bytes, packets * bound.bytes);
        if (made.truth == Truth::one_frame) {
            EXPECT_EQ(counted, (Frames{packets, packets * made.frame.size()}));
        }
        if (made.truth == Truth::device) {
            EXPECT_GT(own.packets, packets) << "else the row shows nothing";
            EXPECT_EQ(counted, own);
        }
    }
    RecordProperty("rows", rows);
    EXPECT_GT(rows, 8) << "else this shows little";
}

TEST_P(Hostile, MadeUpPacketsAreSubtractedOnceAndNoMore) {
    Watch here(here_, {.hook = GetParam()});
    const RawCounts raw;
    PacketSocket socket(here_);
    for (const auto* queue : {"tbf", "htb"})
        for (const auto& made : made_up()) {
            SCOPED_TRACE(fmt::format("{} {}", queue, made.name));
            fill_queue(socket, queue);
            const auto before = sent(here.counters("wan"));
            const auto raw_before = raw.now();
            const auto drops_before = drops();
            constexpr int packets = 200;
            int taken = 0;
            while (taken < packets && socket.send(made.header, made.frame)) ++taken;
            if (taken > 0) {
                EXPECT_EQ(taken, packets) << std::strerror(errno);
                // To the queues of older kernels what has no payload has no length either.
                if (std::string_view(made.name) != "no_payload") {
                    EXPECT_GE(drops() - drops_before, packets / 2) << "else the row shows nothing";
                }
                expect_no_more_dropped(raw_before, raw.now());
            }
            if (taken > 0 && here.probe->subtracts_drops()) {
                const auto counted = sent(here.counters("wan")) - before;
                const auto queued = packets / 2;  // a few small ones still found room
                EXPECT_LE(counted.bytes, queued * most(made.header, made.frame.size()).bytes);
            }
            expect_growth(here, socket);
        }
}

/// What a guest writes to its tap is routed to the wire.
TEST_P(Hostile, AGuestOnATapCannotHideTraffic) {
    const auto tap =
        here_.inside([] { return Descriptor(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)); });
    if (!tap) GTEST_SKIP() << "this kernel has no taps";
    here_.inside([&] {
        ifreq request{};
        request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
        std::string_view("guest").copy(static_cast<char*>(request.ifr_name), IFNAMSIZ - 1);
        ASSERT_EQ(::ioctl(tap.get(), TUNSETIFF, &request), 0);
    });
    here_.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0");
    here_.run("ip link set guest address 02:00:00:00:00:02 up");
    here_.run("sysctl -qw net.ipv4.conf.guest.rp_filter=0 net.ipv4.conf.guest.accept_local=1");
    Watch here(here_, {.hook = GetParam()});
    PacketSocket socket(here_);
    fill_queue(socket, "tbf");
    const auto made = made_up().front();
    auto header = made.header;
    header.hdr_len = static_cast<std::uint16_t>(made.frame.size());
    Bytes packet(sizeof(header));
    std::memcpy(packet.data(), &header, sizeof(header));
    packet = packet + made.frame;
    const auto guest_before = received(here.counters("guest"));
    const RawCounts raw;
    const auto raw_before = raw.now();
    const auto drops_before = drops();
    constexpr int packets = 50;
    for (int i = 0; i < packets; ++i)
        ASSERT_EQ(::write(tap.get(), packet.data(), packet.size()),
                  static_cast<ssize_t>(packet.size()));
    EXPECT_GE(drops() - drops_before, packets / 2) << "else the test shows nothing";
    EXPECT_EQ(received(here.counters("guest")) - guest_before,
              (Frames{packets, packets * made.frame.size()}));
    expect_no_more_dropped(raw_before, raw.now());
    expect_growth(here, socket);
}

/// Seeded, so that a failure comes again.
class Dice {
 public:
    std::size_t upto(std::size_t most) {
        return std::uniform_int_distribution<std::size_t>(0, most)(engine_);
    }
    bool one_in(std::size_t many) { return upto(many - 1) == 0; }
    template <class T>
    T of(std::initializer_list<T> values) {
        return values.begin()[upto(values.size() - 1)];
    }

    Bytes frame(std::size_t longest) {
        const auto payload = upto(one_in(4) ? longest : 200);
        const auto data_offset = static_cast<std::uint8_t>(one_in(3) ? upto(15) : 5);
        auto inner = one_in(2) ? tcp(payload, data_offset) : udp(payload);
        const auto protocol = static_cast<std::uint8_t>(one_in(8) ? upto(255) : one_in(2) ? 6 : 17);
        if (one_in(2)) {
            auto frame = ethernet(ETH_P_IP) + ipv4(protocol, inner);
            if (one_in(4)) frame[14] = static_cast<std::uint8_t>(0x40 | upto(15));
            return one_in(6) ? tagged(frame) : frame;
        }
        if (one_in(2)) inner = destination_options(protocol, inner);
        auto frame = ethernet(ETH_P_IPV6) +
                     ipv6(one_in(2) ? protocol : of<std::uint8_t>({0, 43, 60}), inner);
        if (one_in(4)) frame[frame.size() > 55 ? 55 : 13] = static_cast<std::uint8_t>(upto(255));
        return one_in(6) ? tagged(frame) : frame;
    }

    VirtioHeader header(std::size_t length) {
        const auto any = [&] { return static_cast<std::uint16_t>(upto(0xffff)); };
        const auto within = [&] { return static_cast<std::uint16_t>(upto(length + 2)); };
        auto made = wcs_node_agent::header(
            of({gso_tcp4, gso_ufo, gso_tcp6, gso_udp}), one_in(3) ? any() : within(),
            one_in(3) ? within() : of<std::uint16_t>({34, 38, 54, 62}),
            of<std::uint16_t>({tcp_checksum, udp_checksum, 8}));
        if (one_in(3)) made.gso_size = of<std::uint16_t>({1, 2, 0xfffe, 0xffff});
        if (one_in(4)) made.flags = 0;
        if (one_in(8)) made.gso_type = gso_none;
        return made;
    }

 private:
    static Bytes tagged(const Bytes& frame) {
        Bytes tagged(frame.begin(), frame.begin() + 12);
        tagged = tagged + Bytes{0x81, 0, 0, 7};
        tagged.insert(tagged.end(), frame.begin() + 12, frame.end());
        return tagged;
    }

    std::mt19937 engine_{20'260'611};
};

std::string describe(const VirtioHeader& header, const Bytes& frame) {
    auto text =
        fmt::format("flags {} type {} headers {} size {} checksum {} + {} length {}:", header.flags,
                    header.gso_type, header.hdr_len, header.gso_size, header.csum_start,
                    header.csum_offset, frame.size());
    for (std::size_t i = 0; i < std::min<std::size_t>(frame.size(), 96); ++i)
        text += fmt::format(" {:02x}", frame[i]);
    return text;
}

TEST_P(Hostile, RandomVirtioHeadersAddNoMoreThanThePacketCanBe) {
    here_.run("ethtool -K wan tso on gso on tx-udp-segmentation on");  // arrive as they are
    Watch there(there_, {.hook = GetParam()});
    Watch here(here_, {.hook = GetParam()});
    PacketSocket socket(here_);
    Dice dice;
    int taken = 0;
    Frames last;
    Frames all;
    for (int i = 0; i < 2'000; ++i) {
        const auto frame = dice.frame(60'000);
        const auto header = dice.header(frame.size());
        if (socket.send(header, frame)) ++taken;
        const auto bound = most(header, frame.size());
        const auto now = sent(here.counters("wan"));
        ASSERT_LE((now - last).packets, bound.packets) << "packet " << i;
        ASSERT_LE((now - last).bytes, bound.bytes) << "packet " << i;
        last = now;
        // the peer takes them in some time later
        all.packets += bound.packets;
        all.bytes += bound.bytes;
        const auto there_now = received(there.counters("peer"));
        ASSERT_LE(there_now.packets, all.packets) << "packet " << i;
        ASSERT_LE(there_now.bytes, all.bytes) << "packet " << i;
    }
    RecordProperty("taken", taken);
    EXPECT_GT(taken, 200) << "else the test shows little";

    const RawCounts raw;
    for (const auto* queue : {"tbf", "htb"}) {
        SCOPED_TRACE(queue);
        fill_queue(socket, queue);
        for (int i = 0; i < 1'000; ++i) {
            const auto frame = dice.frame(60'000);
            const auto header = dice.header(frame.size());
            const auto before = raw.now();
            socket.send(header, frame);
            expect_no_more_dropped(before, raw.now());
            if (HasFailure()) FAIL() << describe(header, frame);
        }
        expect_growth(here, socket);
    }
}

/// The program of that name that was loaded last.
Descriptor program_named(std::string_view name) {
    Descriptor found;
    for (std::uint32_t id = 0; bpf_prog_get_next_id(id, &id) == 0;) {
        Descriptor program(bpf_prog_get_fd_by_id(id));
        if (!program) continue;  // gone since
        bpf_prog_info info{};
        std::uint32_t size = sizeof(info);
        if (bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0 && name == info.name)
            found = std::move(program);
    }
    return found;
}

class TestRun : public TwoHosts {
 protected:
    void SetUp() override {
        TwoHosts::SetUp();
        watch_.emplace(here_);
        receive_ = program_named("count_receive");
        transmit_ = program_named("count_transmit");
        index_ = here_.inside([] { return ::if_nametoindex("wan"); });
    }

    /// One run of each program over the frame; what each added.
    std::array<Frames, 2> added(const Bytes& frame, std::uint32_t gso_size,
                                std::uint32_t gso_segs) {
        const auto before = watch_->counters("wan");
        for (const auto* program : {&receive_, &transmit_}) {
            __sk_buff context{};
            context.ifindex = index_;
            context.gso_size = gso_size;
            context.gso_segs = gso_segs;
            bpf_test_run_opts options{};
            options.sz = sizeof(options);
            options.data_in = frame.data();
            options.data_size_in = static_cast<std::uint32_t>(frame.size());
            options.ctx_in = &context;
            options.ctx_size_in = sizeof(context);
            here_.inside([&] { EXPECT_EQ(bpf_prog_test_run_opts(program->get(), &options), 0); });
        }
        const auto now = watch_->counters("wan");
        return {received(now) - received(before), sent(now) - sent(before)};
    }

 private:
    std::optional<Watch> watch_;
    Descriptor receive_;
    Descriptor transmit_;
    std::uint32_t index_ = 0;
};

TEST_F(TestRun, SegmentsThatThePacketHasNoRoomForAreNotBelieved) {
    const auto frame = ethernet(ETH_P_IP) + ipv4(6, tcp(1'000));
    struct Row {
        const char* what;
        std::uint32_t size;
        std::uint32_t segments;
        Frames expected;
    };
    for (const auto& row : {
             Row{"as many as there are", 100, 10, {10, 1'054 + 9 * 54}},
             Row{"one that a card cut in two", 100, 11, {11, 1'054 + 10 * 54}},
             Row{"65,535", 100, 65'535, {10, 1'054 + 9 * 54}},
             Row{"12", 100, 12, {10, 1'054 + 9 * 54}},
             Row{"none", 100, 0, {10, 1'054 + 9 * 54}},
             Row{"larger than the packet", 60'000, 30, {1, 1'054}},
         }) {
        SCOPED_TRACE(row.what);
        for (const auto& one : added(frame, row.size, row.segments)) EXPECT_EQ(one, row.expected);
    }
}

TEST_F(TestRun, RandomPacketsAddNoMoreThanTheyCanBe) {
    Dice dice;
    for (int i = 0; i < 2'000; ++i) {
        const auto frame = dice.frame(3'000);
        auto header = dice.header(frame.size());
        const auto bound = most(header, frame.size());
        const std::uint32_t size = header.gso_type == gso_none ? 0U : header.gso_size;
        const auto segments = static_cast<std::uint32_t>(dice.one_in(2) ? 0 : dice.upto(0xffff));
        for (const auto& one : added(frame, size, segments)) {
            ASSERT_GE(one.packets, 1u) << "packet " << i;
            ASSERT_GE(one.bytes, frame.size()) << "packet " << i;
            ASSERT_LE(one.packets, bound.packets) << "packet " << i;
            ASSERT_LE(one.bytes, bound.bytes) << "packet " << i;
        }
    }
}

/// Multicast and broadcast that somebody here listens to come back without having been on the wire.
class Looped : public TwoHosts,
               public testing::WithParamInterface<std::tuple<HookKind, const char*>> {};

INSTANTIATE_TEST_SUITE_P(Each, Looped,
                         testing::Combine(testing::Values(HookKind::tcx, HookKind::clsact),
                                          testing::Values("239.1.2.3", "10.77.0.255",
                                                          "255.255.255.255", "ff02::1234")),
                         [](const auto& row) {
                             const std::string_view to = std::get<1>(row.param);
                             return fmt::format("{}_{}", to_string(std::get<0>(row.param)),
                                                to == "239.1.2.3"     ? "multicast"
                                                : to == "10.77.0.255" ? "broadcast_of_the_network"
                                                : to == "ff02::1234"  ? "multicast_ipv6"
                                                                      : "broadcast");
                         });

TEST_P(Looped, IsNotReceivedFromTheWire) {
    const auto& [hook, to] = GetParam();
    if (!kernel_has(hook)) GTEST_SKIP() << "this kernel has no TCX (from Linux 6.6)";
    const bool ipv6 = std::string_view(to).find(':') != std::string_view::npos;
    if (ipv6) {
        here_.run("sysctl -qw net.ipv6.conf.wan.disable_ipv6=0");
        here_.run("ip address add fe80::1/64 dev wan nodad");
    }
    here_.run("ip route add default dev wan");
    const auto sink = udp_sink(here_, 5000, ipv6 ? AF_INET6 : AF_INET);
    here_.inside([&] {
        const int index = static_cast<int>(::if_nametoindex("wan"));
        if (ipv6) {
            ipv6_mreq group{};
            ::inet_pton(AF_INET6, to, &group.ipv6mr_multiaddr);
            group.ipv6mr_interface = static_cast<unsigned>(index);
            EXPECT_EQ(
                ::setsockopt(sink.get(), IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof(group)), 0);
        } else if (std::string_view(to).starts_with("239")) {
            ip_mreqn group{};
            ::inet_pton(AF_INET, to, &group.imr_multiaddr);
            group.imr_ifindex = index;
            EXPECT_EQ(
                ::setsockopt(sink.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
        }
    });
    Watch here(here_, {.hook = hook});
    const auto own_before = own_counters(here_, "wan");
    constexpr int datagrams = 100;
    here_.inside([&, to = to] {
        const Descriptor socket(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        constexpr int on = 1;
        ::setsockopt(socket.get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
        ::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, "wan", 3);
        sockaddr_storage peer{};
        if (ipv6) {
            auto& address = reinterpret_cast<sockaddr_in6&>(peer);
            address.sin6_family = AF_INET6;
            address.sin6_port = htons(5000);
            ::inet_pton(AF_INET6, to, &address.sin6_addr);
        } else {
            auto& address = reinterpret_cast<sockaddr_in&>(peer);
            address.sin_family = AF_INET;
            address.sin_port = htons(5000);
            ::inet_pton(AF_INET, to, &address.sin_addr);
        }
        const std::array<char, 100> data{};
        for (int i = 0; i < datagrams; ++i)
            ASSERT_EQ(::sendto(socket.get(), data.data(), data.size(), 0,
                               reinterpret_cast<const sockaddr*>(&peer),
                               ipv6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in)),
                      static_cast<ssize_t>(data.size()));
    });
    std::array<char, 200> datagram{};
    int heard = 0;
    while (::recv(sink.get(), datagram.data(), datagram.size(), MSG_DONTWAIT) > 0) ++heard;
    EXPECT_EQ(heard, datagrams) << "else nothing came back, and this shows nothing";
    const auto counted = here.counters("wan");
    EXPECT_GE(sent(counted).packets, datagrams);
    EXPECT_EQ(received(counted), received(own_counters(here_, "wan")) - received(own_before));
    EXPECT_EQ(received(counted).packets, 0u);
}

}  // namespace
}  // namespace wcs_node_agent
