// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/ebpf_probe.hpp"
#include "kernel/links.hpp"

#include <wcs_node_agent/descriptor.hpp>
#include <wcs_node_agent/probe.hpp>

#include <cstdint>
#include <functional>
#include <netinet/in.h>
#include <ostream>
#include <string>
#include <sys/socket.h>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace wcs_node_agent {

/// Runs a shell command; throws with its words if it fails. Returns its standard output.
std::string run(const std::string& command);

/// A network namespace of the test's own, gone with it.
class NetworkNamespace {
 public:
    explicit NetworkNamespace(std::string name);
    ~NetworkNamespace();
    NetworkNamespace(const NetworkNamespace&) = delete;
    NetworkNamespace& operator=(const NetworkNamespace&) = delete;

    const std::string& name() const { return name_; }

    /// Runs a command inside.
    std::string run(const std::string& command) const;

    /// Calls make inside; sockets and probes made there stay there.
    template <class Make>
    auto inside(Make make) const {
        const Entered entered(*this);
        return make();
    }

 private:
    class Entered {
     public:
        explicit Entered(const NetworkNamespace& where);
        ~Entered();

     private:
        Descriptor before_;
    };

    std::string name_;
    Descriptor descriptor_;
};

/// Two hosts and the cable between them: here (10.77.0.1, interface wan) and there (10.77.0.2,
/// peer). Nobody speaks on it but the test: no IPv6, fixed neighbours.
class TwoHosts : public testing::Test {
 protected:
    void SetUp() override;

    static std::string unique(const char* prefix);

    NetworkNamespace here_{unique("wna-here")};
    NetworkNamespace there_{unique("wna-there")};
};

/// Begins to count on all of these before it returns.
void attach_all(Probe& probe, const std::vector<Link>& links);

/// A probe with its own list of links, in one namespace.
struct Watch {
    explicit Watch(const NetworkNamespace& in, const EbpfOptions& options = {},
                   std::optional<PinFolder> pins = {});
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Attaches to what is there now.
    void refresh();

    /// The counters of an interface by name; all 0 if it is not counted.
    InterfaceCounters counters(const std::string& interface);

    const NetworkNamespace& where;
    std::unique_ptr<EbpfProbe> probe;
    LinkMonitor links;
};

/// So many frames on the wire.
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

inline Frames sent(const InterfaceCounters& counters) {
    return {counters.traffic.transmit_packets, counters.traffic.transmit_bytes};
}

inline Frames received(const InterfaceCounters& counters) {
    return {counters.traffic.receive_packets, counters.traffic.receive_bytes};
}

/// Whether this kernel has such a hook: TCX from Linux 6.6.
bool kernel_has(HookKind kind);

/// Bytes before the payload of a UDP datagram: Ethernet, IPv4, UDP.
inline constexpr std::uint64_t udp_headers = 14 + 20 + 8;

/// Takes datagrams in and never reads them, so that nobody answers that the port is unreachable.
/// family: AF_INET or AF_INET6.
Descriptor udp_sink(const NetworkNamespace& where, std::uint16_t port, int family = AF_INET);

/// Sends datagrams of so many bytes to address:port (IPv4 or IPv6), a burst each millisecond.
/// segment: 0, or the stack splits each into datagrams of so many bytes, late (UDP_SEGMENT).
/// extension_header: as for send_tcp().
void send_udp(const NetworkNamespace& from, const char* address, std::uint16_t port, int datagrams,
              std::size_t payload, int burst, std::size_t segment = 0, int extension_header = 0);

/// Sends so many bytes over one TCP connection (IPv4 or IPv6) and waits until they have arrived.
/// mss: the greatest segment, 0 for what the interface's MTU gives. extension_header: IPV6_HOPOPTS
/// or IPV6_DSTOPTS puts such a header of 8 bytes into each packet of the sender. receive_buffer:
/// half of it, about, is the window. A veth whose peer polls drops what comes when its ring of 256
/// frames is full, behind the egress hook: so many are never under way in a window of 64 KiB.
void send_tcp(const NetworkNamespace& from, const NetworkNamespace& to, const char* address,
              std::uint16_t port, std::size_t bytes, int mss = 0, int extension_header = 0,
              int receive_buffer = 64 * 1024);

/// The figures of the root queueing discipline of an interface, as `tc -s -j qdisc` shows them,
/// once nothing waits in it any more (or after 20 s).
nlohmann::json empty_root_qdisc(const NetworkNamespace& where, const std::string& interface);

/// What the kernel itself counted on an interface, as /proc/net/dev has it.
InterfaceCounters own_counters(const NetworkNamespace& where, const std::string& interface);

}  // namespace wcs_node_agent
