// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include <arpa/inet.h>
#include <array>
#include <net/if.h>
#include <string_view>
#include <sys/socket.h>
#include <tuple>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

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
