// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include "kernel/procfs.hpp"

#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace wcs_node_agent {

namespace {

/// An IPv4 or IPv6 address with a port, as the socket calls take it.
class SocketAddress {
 public:
    SocketAddress(const std::string& address, std::uint16_t port) {
        if (address.find(':') == std::string::npos) {
            auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage_);
            ipv4.sin_family = AF_INET;
            ipv4.sin_port = htons(port);
            ::inet_pton(AF_INET, address.c_str(), &ipv4.sin_addr);
        } else {
            auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage_);
            ipv6.sin6_family = AF_INET6;
            ipv6.sin6_port = htons(port);
            ::inet_pton(AF_INET6, address.c_str(), &ipv6.sin6_addr);
        }
    }
    int family() const { return storage_.ss_family; }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    static constexpr socklen_t size = sizeof(sockaddr_storage);

 private:
    sockaddr_storage storage_{};
};

void check(bool worked, const char* what) {
    if (!worked) throw std::system_error(errno, std::generic_category(), what);
}

Descriptor open_socket(const NetworkNamespace& where, int family, int type) {
    auto socket =
        where.inside([&] { return Descriptor(::socket(family, type | SOCK_CLOEXEC, 0)); });
    check(static_cast<bool>(socket), "socket");
    return socket;
}

void set_option(const Descriptor& socket, int level, int option, int value) {
    check(::setsockopt(socket.get(), level, option, &value, sizeof(value)) == 0, "setsockopt");
}

/// 0: none.
void add_extension_header(const Descriptor& socket, int extension_header) {
    if (extension_header == 0) return;
    // next header, length beyond the first 8 bytes, then the padding option PadN
    constexpr std::array<std::uint8_t, 8> padding{0, 0, 1, 4, 0, 0, 0, 0};
    check(::setsockopt(socket.get(), IPPROTO_IPV6, extension_header, padding.data(),
                       padding.size()) == 0,
          "setsockopt");
}

void bind_to(const Descriptor& socket, const SocketAddress& local) {
    check(::bind(socket.get(), local.get(), SocketAddress::size) == 0, "bind");
}

void connect_to(const Descriptor& socket, const SocketAddress& peer) {
    check(::connect(socket.get(), peer.get(), SocketAddress::size) == 0, "connect");
}

}  // namespace

std::string run(const std::string& command) {
    std::string output;
    auto* pipe = ::popen((command + " 2>&1").c_str(), "re");
    std::array<char, 4096> part{};
    while (const auto length = std::fread(part.data(), 1, part.size(), pipe))
        output.append(part.data(), length);
    if (const int status = ::pclose(pipe); status != 0)
        throw std::runtime_error(command + ": " + output);
    return output;
}

NetworkNamespace::NetworkNamespace(std::string name) : name_(std::move(name)) {
    wcs_node_agent::run("ip netns add " + name_);
    descriptor_ = Descriptor(::open(("/run/netns/" + name_).c_str(), O_RDONLY | O_CLOEXEC));
}

NetworkNamespace::~NetworkNamespace() {
    if (std::system(("ip netns delete " + name_).c_str()) != 0) std::perror(name_.c_str());
}

std::string NetworkNamespace::run(const std::string& command) const {
    return inside([&] { return wcs_node_agent::run(command); });
}

NetworkNamespace::Entered::Entered(const NetworkNamespace& where)
    : before_(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
    check(::setns(where.descriptor_.get(), CLONE_NEWNET) == 0, "setns");
}

NetworkNamespace::Entered::~Entered() {
    if (::setns(before_.get(), CLONE_NEWNET) != 0) std::abort();
}

std::string TwoHosts::unique(const char* prefix) { return prefix + std::to_string(::getpid()); }

void TwoHosts::SetUp() {
    for (const auto* host : {&here_, &there_})
        host->run(
            "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
    run("ip link add wan address 02:00:00:00:00:01 netns " + here_.name() +
        " type veth peer name peer address 02:00:00:00:00:02 netns " + there_.name());
    here_.run("ip address add 10.77.0.1/24 dev wan");
    there_.run("ip address add 10.77.0.2/24 dev peer");
    here_.run("ip link set wan up");
    there_.run("ip link set peer up");
    here_.run("ip neighbour replace 10.77.0.2 lladdr 02:00:00:00:00:02 dev wan nud permanent");
    there_.run("ip neighbour replace 10.77.0.1 lladdr 02:00:00:00:00:01 dev peer nud permanent");
}

Watch::Watch(const NetworkNamespace& in, const EbpfOptions& options, std::optional<PinFolder> pins)
    : where(in),
      probe(where.inside([&] { return EbpfProbe::load(options, std::move(pins)).value(); })),
      links(where.inside([&] { return LinkMonitor::open(probe->own_filters()).value(); })) {
    refresh();
}

Watch::~Watch() {
    where.inside([&] { probe.reset(); });
}

void Watch::refresh() {
    links.changed();
    const auto now = links.list().value();
    // an index means an interface of the caller's namespace
    where.inside([&] { attach_all(*probe, now); });
}

void attach_all(Probe& probe, const std::vector<Link>& links) {
    probe.set_links(links, {});
    while (probe.attach_next() != Pending::none) {
    }
}

InterfaceCounters Watch::counters(const std::string& interface) {
    const auto reading = probe->read().value();
    for (const auto& one : reading.interfaces)
        if (one.name == interface) return one;
    return {};
}

bool kernel_has(HookKind kind) {
    static const auto best = EbpfProbe::load().value()->hook_kind();
    return kind == HookKind::clsact || kind == best;
}

Descriptor udp_sink(const NetworkNamespace& where, std::uint16_t port, int family) {
    auto socket = open_socket(where, family, SOCK_DGRAM);
    if (family == AF_INET6) set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    bind_to(socket, {family == AF_INET ? "0.0.0.0" : "::", port});
    return socket;
}

void send_udp(const NetworkNamespace& from, const char* address, std::uint16_t port, int datagrams,
              std::size_t payload, int burst, std::size_t segment, int extension_header) {
    using namespace std::chrono_literals;
    const SocketAddress peer(address, port);
    const auto socket = open_socket(from, peer.family(), SOCK_DGRAM);
    if (segment > 0) set_option(socket, SOL_UDP, UDP_SEGMENT, static_cast<int>(segment));
    add_extension_header(socket, extension_header);
    connect_to(socket, peer);
    const std::string data(payload, 'x');
    auto next = std::chrono::steady_clock::now();
    for (int sent = 0; sent < datagrams; ++sent) {
        if (sent % burst == 0) std::this_thread::sleep_until(next += 1ms);
        // ENOBUFS: the queueing discipline dropped it, which some tests are about.
        check(::send(socket.get(), data.data(), data.size(), 0) > 0 || errno == ENOBUFS, "send");
    }
}

void send_tcp(const NetworkNamespace& from, const NetworkNamespace& to, const char* address,
              std::uint16_t port, std::size_t bytes, int mss, int extension_header,
              int receive_buffer) {
    const SocketAddress peer(address, port);
    const auto listener = open_socket(to, peer.family(), SOCK_STREAM);
    set_option(listener, SOL_SOCKET, SO_RCVBUF, receive_buffer);
    set_option(listener, SOL_SOCKET, SO_REUSEADDR, 1);
    bind_to(listener, peer);
    check(::listen(listener.get(), 1) == 0, "listen");
    const auto sender = open_socket(from, peer.family(), SOCK_STREAM);
    if (mss > 0) set_option(sender, IPPROTO_TCP, TCP_MAXSEG, mss);
    add_extension_header(sender, extension_header);
    connect_to(sender, peer);
    const Descriptor receiver(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    check(static_cast<bool>(receiver), "accept");

    std::thread writer([&] {
        const std::string data(256 * 1024, 'x');
        for (std::size_t left = bytes; left > 0;) {
            const auto sent = ::send(sender.get(), data.data(), std::min(left, data.size()), 0);
            if (sent <= 0) break;
            left -= static_cast<std::size_t>(sent);
        }
        ::shutdown(sender.get(), SHUT_WR);
    });
    std::vector<char> buffer(256 * 1024);
    std::size_t received = 0;
    for (;;) {
        const auto got = ::recv(receiver.get(), buffer.data(), buffer.size(), 0);
        if (got <= 0) break;
        received += static_cast<std::size_t>(got);
    }
    writer.join();
    if (received != bytes) throw std::runtime_error("TCP: not everything arrived");
}

nlohmann::json empty_root_qdisc(const NetworkNamespace& where, const std::string& interface) {
    using namespace std::chrono_literals;
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    for (;;) {
        const bool late = std::chrono::steady_clock::now() > deadline;
        for (auto& one : nlohmann::json::parse(where.run("tc -s -j qdisc show dev " + interface)))
            if (one.contains("root") && (one.at("backlog") == 0 || late)) return std::move(one);
        std::this_thread::sleep_for(10ms);
    }
}

InterfaceCounters own_counters(const NetworkNamespace& where, const std::string& interface) {
    for (const auto& one : parse_net_dev(where.run("cat /proc/net/dev")))
        if (one.name == interface) return one;
    return {};
}

}  // namespace wcs_node_agent
