// SPDX-License-Identifier: Apache-2.0
/// What the kernel programs count beside what the device counts, of frames that pass the hook more
/// than once.
#include "load/witness.hpp"

#include "kernel/device_counters.hpp"
#include "network.hpp"

#include <array>
#include <net/if.h>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

/// The kernel hands what it has unwrapped to the device that the outer packet came through.
TEST_F(TwoHosts, NeedsModuleWhatIpsecUnwrapsIsReceivedOnce) {
    const auto both = [&](const NetworkNamespace& host, const char* direction) {
        host.run(
            "ip xfrm state add src 10.77.0.2 dst 10.77.0.1 proto esp spi 7 mode tunnel "
            "enc 'ecb(cipher_null)' '' auth digest_null ''");
        host.run(
            fmt::format("ip xfrm policy add src 10.78.0.2 dst 10.78.0.1 dir {} tmpl "
                        "src 10.77.0.2 dst 10.77.0.1 proto esp mode tunnel",
                        direction));
    };
    here_.run("ip address add 10.78.0.1/32 dev wan");
    there_.run("ip address add 10.78.0.2/32 dev peer");
    there_.run("ip route add 10.78.0.1 via 10.77.0.1 src 10.78.0.2");
    both(here_, "in");
    both(there_, "out");
    const auto sink = udp_sink(here_, 5000);
    Watch watch(here_);
    auto devices = here_.inside([] { return DeviceCounters::open(); });
    ASSERT_TRUE(devices);
    const auto index = here_.inside([] { return ::if_nametoindex("wan"); });
    Witness witness;
    const auto read = [&] {
        const std::array<DeviceReading, 1> wan{
            {{.index = index, .name = "wan", .traffic = devices->read(index).value()}}};
        auto counters = watch.probe->read().value();
        witness.correct(counters, wan, [&](std::uint32_t, const Direction& direction) {
            const auto again = devices->read(index).value();
            return DeviceFlow{.counted = {again.*direction.bytes, again.*direction.packets}};
        });
        return received(counters.interfaces.at(0));
    };
    const auto before = read();
    const auto counted_before = received(watch.counters("wan"));
    send_udp(there_, "10.78.0.1", 5000, 500, 1000, 10);
    EXPECT_EQ((received(watch.counters("wan")) - counted_before).packets, 1000U) << "each twice";
    EXPECT_EQ((read() - before).packets, 500U);
}

}  // namespace
}  // namespace wcs_node_agent
