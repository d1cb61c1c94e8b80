// SPDX-License-Identifier: Apache-2.0
/// Whoever has a packet socket or a tap chooses what its packets say of themselves. What is counted
/// stays within what a packet can be, and what is subtracted within what was counted.
#include "kernel/mapped_array.hpp"
#include "kernel/traffic_sources.hpp"
#include "made_up_packets.hpp"

#include <cstring>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

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

/// What a probe's programs counted and dropped, on all CPUs and interfaces: before it is made a
/// counter that never falls.
class RawCounts {
 public:
    explicit RawCounts(const EbpfProbe& probe)
        : values_(
              MappedArray<::traffic>::map(probe.programs().traffic.get(), slots(probe)).value()) {}

    TrafficInSlot now() const {
        TrafficInSlot sum;
        for (const auto& one : values_.values()) sum.add(one);
        return sum;
    }

 private:
    static std::size_t slots(const EbpfProbe& probe) {
        bpf_map_info info{};
        std::uint32_t size = sizeof(info);
        EXPECT_EQ(bpf_obj_get_info_by_fd(probe.programs().traffic.get(), &info, &size), 0);
        return info.max_entries;
    }

    MappedArray<::traffic> values_;
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
    const RawCounts raw(*here.probe);
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
    const RawCounts raw(*here.probe);
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

    const RawCounts raw(*here.probe);
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

}  // namespace
}  // namespace wcs_node_agent
