// SPDX-License-Identifier: Apache-2.0
#include "kernel/link_speed.hpp"

#include "network.hpp"

namespace wcs_node_agent {
namespace {

class Speed : public TwoHosts {
 protected:
    std::optional<std::uint32_t> speed(const std::string& name) {
        return here_.inside([&] { return link_speed(name); });
    }
};

TEST_F(Speed, IsWhatTheDriverReports) {
    EXPECT_EQ(speed("wan"), 10000u) << "what a veth says";
    here_.run("ip tuntap add tun0 mode tun");
    here_.run("ethtool -s tun0 speed 100 duplex full");
    EXPECT_EQ(speed("tun0"), 100u);
    here_.run("ethtool -s tun0 speed 25000 duplex full");
    EXPECT_EQ(speed("tun0"), 25000u);
}

TEST_F(Speed, IsNoneWhereTheDriverKnowsNone) {
    here_.run("ip link add ifb9 type ifb");
    EXPECT_EQ(speed("ifb9"), std::nullopt) << "a driver without link settings";
    here_.run("ip link add br0 type bridge");
    EXPECT_EQ(speed("br0"), std::nullopt) << "SPEED_UNKNOWN of a bridge without ports";
    EXPECT_EQ(speed("lo"), std::nullopt);
    EXPECT_EQ(speed("nobody"), std::nullopt);
    EXPECT_EQ(speed("a name that is longer than any"), std::nullopt);
}

}  // namespace
}  // namespace wcs_node_agent
