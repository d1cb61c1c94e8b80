// SPDX-License-Identifier: Apache-2.0
#include "made_up_packets.hpp"

#include <array>
#include <cerrno>
#include <linux/if_ether.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

void put16(Bytes& bytes, std::size_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
    bytes.push_back(static_cast<std::uint8_t>(value));
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

Bytes tagged(const Bytes& frame) {
    Bytes tagged(frame.begin(), frame.begin() + 12);
    tagged = tagged + Bytes{0x81, 0, 0, 7};
    tagged.insert(tagged.end(), frame.begin() + 12, frame.end());
    return tagged;
}

}  // namespace

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

Bytes tcp(std::size_t payload, std::uint8_t data_offset) {
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

Frames most(const VirtioHeader& header, std::size_t length) {
    const std::size_t frames =
        header.gso_type == gso_none || header.gso_size == 0 ? 1 : length / header.gso_size + 1;
    return {frames, length + frames * (longest_headers + 8)};
}

std::string describe(const VirtioHeader& header, const Bytes& frame) {
    auto text =
        fmt::format("flags {} type {} headers {} size {} checksum {} + {} length {}:", header.flags,
                    header.gso_type, header.hdr_len, header.gso_size, header.csum_start,
                    header.csum_offset, frame.size());
    for (std::size_t i = 0; i < std::min<std::size_t>(frame.size(), 96); ++i)
        text += fmt::format(" {:02x}", frame[i]);
    return text;
}

std::size_t Dice::upto(std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most)(engine_);
}

Bytes Dice::frame(std::size_t longest) {
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
    auto frame =
        ethernet(ETH_P_IPV6) + ipv6(one_in(2) ? protocol : of<std::uint8_t>({0, 43, 60}), inner);
    if (one_in(4)) frame[frame.size() > 55 ? 55 : 13] = static_cast<std::uint8_t>(upto(255));
    return one_in(6) ? tagged(frame) : frame;
}

VirtioHeader Dice::header(std::size_t length) {
    const auto any = [&] { return static_cast<std::uint16_t>(upto(0xffff)); };
    const auto within = [&] { return static_cast<std::uint16_t>(upto(length + 2)); };
    auto made = wcs_node_agent::header(of({gso_tcp4, gso_ufo, gso_tcp6, gso_udp}),
                                       one_in(3) ? any() : within(),
                                       one_in(3) ? within() : of<std::uint16_t>({34, 38, 54, 62}),
                                       of<std::uint16_t>({tcp_checksum, udp_checksum, 8}));
    if (one_in(3)) made.gso_size = of<std::uint16_t>({1, 2, 0xfffe, 0xffff});
    if (one_in(4)) made.flags = 0;
    if (one_in(8)) made.gso_type = gso_none;
    return made;
}

PacketSocket::PacketSocket(const NetworkNamespace& where) {
    where.inside([&] {
        socket_ = Descriptor(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
        constexpr int on = 1;
        EXPECT_EQ(::setsockopt(socket_.get(), SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
        out_.sll_ifindex = static_cast<int>(::if_nametoindex("wan"));
    });
    out_.sll_family = AF_PACKET;
}

bool PacketSocket::send(VirtioHeader header, const Bytes& frame) {
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

void PacketSocket::send_plain(int frames) {
    const auto frame = ethernet(ETH_P_IP) + ipv4(17, udp(plain_length - 42));
    for (int i = 0; i < frames; ++i) EXPECT_TRUE(send({}, frame));
}

}  // namespace wcs_node_agent
