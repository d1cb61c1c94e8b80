// SPDX-License-Identifier: Apache-2.0
/// Packets made up byte by byte: whoever has a packet socket or a tap chooses the virtio header,
/// and with it the size of the segments and the place of the checksum.
#pragma once

#include "network.hpp"

#include <cstdint>
#include <initializer_list>
#include <linux/if_packet.h>
#include <random>
#include <string>
#include <vector>

namespace wcs_node_agent {

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
inline constexpr std::uint8_t needs_checksum = 1;

inline constexpr std::uint8_t gso_none = 0;
inline constexpr std::uint8_t gso_tcp4 = 1;
inline constexpr std::uint8_t gso_ufo = 3;  // UDP in IP fragments
inline constexpr std::uint8_t gso_tcp6 = 4;
inline constexpr std::uint8_t gso_udp = 5;  // UDP in datagrams, from Linux 6.2

inline constexpr std::uint16_t tcp_checksum = 16;
inline constexpr std::uint16_t udp_checksum = 6;
inline constexpr std::size_t longest_headers =
    6 * 2'048 + 600;  // with six extension headers of IPv6

Bytes operator+(Bytes one, const Bytes& other);
Bytes ethernet(std::uint16_t protocol);
/// 10.77.0.1 to 10.77.0.2, or fd00::1 to fd00::2.
Bytes ipv4(std::uint8_t protocol, const Bytes& inner);
Bytes ipv6(std::uint8_t protocol, const Bytes& inner);
/// data_offset: as the header has it, in words.
Bytes tcp(std::size_t payload, std::uint8_t data_offset = 5);
Bytes udp(std::size_t payload);
Bytes destination_options(std::uint8_t next, const Bytes& inner);

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

/// One for each way to be wrong, and some that are right.
std::vector<MadeUp> made_up();

/// The most that one such packet can be, whatever it says of itself.
Frames most(const VirtioHeader& header, std::size_t length);

/// Both as a line for people.
std::string describe(const VirtioHeader& header, const Bytes& frame);

/// Seeded, so that a failure comes again.
class Dice {
 public:
    std::size_t upto(std::size_t most);
    bool one_in(std::size_t many) { return upto(many - 1) == 0; }
    template <class T>
    T of(std::initializer_list<T> values) {
        return values.begin()[upto(values.size() - 1)];
    }

    /// A frame with a payload of up to so many bytes, and a virtio header for one of that length.
    Bytes frame(std::size_t longest);
    VirtioHeader header(std::size_t length);

 private:
    std::mt19937 engine_{20'260'611};
};

/// Sends frames as they are, behind a virtio header, over wan.
class PacketSocket {
 public:
    explicit PacketSocket(const NetworkNamespace& where);

    /// Whether the kernel took it. ENOBUFS: the queue dropped it; ENOMEM: it could not be split.
    bool send(VirtioHeader header, const Bytes& frame);

    /// Plain frames of 1,000 bytes.
    void send_plain(int frames);
    static constexpr std::size_t plain_length = 1'000;

 private:
    Descriptor socket_;
    sockaddr_ll out_{};
};

}  // namespace wcs_node_agent
