// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace wcs_node_agent {

/// UDP of the network namespace, IPv4 and IPv6 added up. Counted by the kernel since the namespace
/// is there.
struct UdpCounters {
    std::uint64_t received = 0;               // datagrams that programs have read
    std::uint64_t receive_buffer_errors = 0;  // datagrams lost as the socket's buffer was full

    bool operator==(const UdpCounters&) const = default;
};

/// The CPUs' queues in front of the protocols, all CPUs of the host added up.
struct SoftnetCounters {
    std::uint64_t dropped = 0;       // frames lost as a queue was full
    std::uint64_t time_squeeze = 0;  // turns that ended with frames left to be handled

    bool operator==(const SoftnetCounters&) const = default;
};

/// What the kernel has lost between the wire and the programs. Absent: it cannot be read.
struct ReceiveCounters {
    std::optional<UdpCounters> udp;
    std::optional<SoftnetCounters> softnet;
    std::string udp_unknown;  // why udp is absent
};

}  // namespace wcs_node_agent
