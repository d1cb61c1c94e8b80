// SPDX-License-Identifier: Apache-2.0
#include "load/selection.hpp"

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using Left = std::vector<LeftOut>;

const Link lo{.index = 1, .name = "lo", .loopback = true, .default_route = true};

/// A card, index 2 and up.
Link card(std::uint32_t index, const std::string& name, std::uint32_t master = 0) {
    return {.index = index, .name = name, .physical = true, .master = master};
}

Link software(std::uint32_t index, const std::string& name, const std::string& kind,
              std::uint32_t lower = 0, std::uint32_t master = 0) {
    return {.index = index, .name = name, .kind = kind, .lower = lower, .master = master};
}

Link routed(Link link) {
    link.default_route = true;
    return link;
}

const Link eth0 = routed(card(2, "eth0"));
const Link eth1 = card(3, "eth1");
const Link docker = software(4, "docker0", "bridge");
const Link ppp = routed(software(5, "ppp0", "ppp"));

struct Row {
    const char* shows;
    std::vector<Link> links;
    std::vector<std::string> globs;
    std::vector<std::uint32_t> selected;
    Left left_out = {};
};

void expect_selections(const std::vector<Row>& rows) {
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto selection = select_interfaces(row.links, row.globs);
        EXPECT_EQ(selection.selected, row.selected);
        EXPECT_EQ(selection.left_out, row.left_out);
        // The order in which the kernel lists links says nothing.
        const std::vector<Link> reversed(row.links.rbegin(), row.links.rend());
        EXPECT_EQ(select_interfaces(reversed, row.globs), selection);
    }
}

TEST(Selection, FollowsRoutesOrGlobs) {
    expect_selections({
        {"the default route's interface", {lo, eth0, eth1, docker}, {}, {2}},
        {"several default routes: all of them", {lo, eth0, eth1, ppp}, {}, {2, 5}},
        {"no default route: every physical one", {lo, card(2, "eth0"), eth1, docker}, {}, {2, 3}},
        {"nothing suits: none, not all", {lo, docker}, {}, {}},
        {"globs win over routes", {lo, eth0, eth1, docker}, {"eth1"}, {3}},
        {"several globs add up", {lo, eth0, eth1, docker}, {"eth*", "docker?"}, {2, 3, 4}},
        {"loopback is never selected", {lo, eth0}, {"*"}, {2}},
        {"a glob that matches nothing selects nothing", {lo, eth0}, {"wan*"}, {}},
    });
}

Link named(Link link, std::vector<std::string> alternative_names) {
    link.alternative_names = std::move(alternative_names);
    return link;
}

/// A tunnel that is bound to no device, and what the routes of its packets lead to.
Link unbound(Link link, std::vector<std::uint32_t> underlay) {
    link.tunnel = true;
    link.underlay = std::move(underlay);
    return link;
}

TEST(Selection, AlternativeNamesMatch) {
    const auto wan = named(card(2, "eth0"), {"uplink", "enp1s0"});
    expect_selections({
        {"a plain name", {lo, wan, eth1}, {"uplink"}, {2}},
        {"a glob", {lo, wan, eth1}, {"enp?s*"}, {2}},
        {"both names of one interface: once", {lo, wan, eth1}, {"eth*", "uplink"}, {2, 3}},
    });
}

TEST(Selection, PlainNamesThatMatchNothingAreKnown) {
    const std::vector<Link> links{lo, named(card(2, "eth0"), {"uplink"}), eth1};
    const auto unmatched = [&](const std::vector<std::string>& globs) {
        return select_interfaces(links, globs).unmatched;
    };
    using Names = std::vector<std::string>;
    EXPECT_EQ(unmatched({}), Names{});
    EXPECT_EQ(unmatched({"eth0", "uplink", "lo"}), Names{});
    EXPECT_EQ(unmatched({"wan*", "wan?", "wan[0]", "wan\\*"}), Names{}) << "globs";
    EXPECT_EQ(unmatched({"eth0", "wan0", "eth0@if2"}), (Names{"wan0", "eth0@if2"}));
}

TEST(Selection, SaysWhy) {
    EXPECT_EQ(select_interfaces(std::vector{eth0, eth1}, {}).reason, SelectedBy::route);
    EXPECT_EQ(select_interfaces(std::vector{lo, eth1}, {}).reason, SelectedBy::physical);
    const std::vector<std::string> globs{"eth0"};
    EXPECT_EQ(select_interfaces(std::vector{eth0, eth1}, globs).reason, SelectedBy::name);
}

TEST(Selection, UnboundTunnelsLeadWhereTheirPacketsGo) {
    const auto wg = unbound(routed(software(7, "wg0", "wireguard")), {2});
    const auto vxlan = software(8, "vx", "vxlan");
    expect_selections({
        {"to the card", {card(2, "eth0"), eth1, wg}, {}, {2}},
        {"to the card, which has a default route as well: once", {eth0, eth1, wg}, {}, {2}},
        {"to two cards", {card(2, "eth0"), eth1, unbound(routed(vxlan), {2, 3})}, {}, {2, 3}},
        {"to a VLAN, and down from there",
         {card(2, "eth0"), software(5, "v", "vlan", 2), unbound(routed(vxlan), {5})},
         {},
         {2}},
        {"through another tunnel",
         {card(2, "eth0"), unbound(software(7, "wg0", "wireguard"), {2}),
          unbound(routed(vxlan), {7})},
         {},
         {2}},
        {"named beside its card: once", {eth0, wg}, {"eth0", "wg0"}, {2}, {{7, 2}}},
        {"named alone it is what was asked for", {eth0, wg}, {"wg0"}, {7}},
        {"to what is not there, or to this host: itself",
         {lo, eth1, unbound(routed(vxlan), {1, 99})},
         {},
         {8}},
    });
}

TEST(Selection, DefaultRoutesLeadDownToTheWire) {
    expect_selections({
        {"a VLAN: its card", {card(2, "eth0"), eth1, routed(software(7, "v", "vlan", 2))}, {}, {2}},
        {"a VLAN in a VLAN",
         {card(2, "eth0"), software(7, "v", "vlan", 2), routed(software(8, "q", "vlan", 7))},
         {},
         {2}},
        {"two VLANs of one card: the card once",
         {card(2, "eth0"), routed(software(7, "v", "vlan", 2)),
          routed(software(8, "w", "vlan", 2))},
         {},
         {2}},
        {"macvlan, macvtap, ipvlan, MACsec",
         {card(2, "eth0"), eth1, routed(software(7, "a", "macvlan", 2)),
          routed(software(8, "b", "ipvlan", 3)), routed(software(9, "c", "macsec", 3)),
          routed(software(10, "d", "macvtap", 2))},
         {},
         {2, 3}},
        {"a bond: all its ports",
         {card(2, "eth0", 7), card(3, "eth1", 7), card(4, "eth2"),
          routed(software(7, "b", "bond"))},
         {},
         {2, 3}},
        {"a VLAN on a bond on two cards",
         {card(2, "eth0", 7), card(3, "eth1", 7), software(7, "bond0", "bond"),
          routed(software(8, "bond0.5", "vlan", 7))},
         {},
         {2, 3}},
        {"a team of a card and a VLAN",
         {card(2, "eth0", 7), eth1, software(6, "v", "vlan", 3, 7),
          routed(software(7, "t", "team"))},
         {},
         {2, 3}},
        {"a bond without ports yet is itself", {eth1, routed(software(7, "b", "bond"))}, {}, {7}},
        {"a bridge: its card, not the taps of guests beside it",
         {card(2, "eth0", 7), routed(software(7, "br0", "bridge")),
          software(8, "tap0", "tun", 0, 7), software(9, "veth0", "veth", 0, 7)},
         {},
         {2}},
        {"a bridge over a VLAN of a bond leads to the cards",
         {card(2, "eth0", 4), card(3, "eth1", 4), software(4, "bond0", "bond"),
          software(5, "bond0.5", "vlan", 4, 7), routed(software(7, "br0", "bridge")),
          software(8, "tap0", "tun", 0, 7)},
         {},
         {2, 3}},
        {"a bridge without a card is itself",
         {eth1, routed(software(7, "br0", "bridge")), software(8, "veth0", "veth", 0, 7)},
         {},
         {7}},
        {"a bridge between a bridge and its card",
         {card(2, "eth0", 4), software(4, "inner", "bridge"), software(5, "v", "vlan", 4, 7),
          routed(software(7, "outer", "bridge"))},
         {},
         {2}},
        {"a VRF: all its ports, each to its wire",
         {card(2, "eth0", 7), eth1, software(5, "v", "vlan", 3, 7),
          routed(software(7, "r", "vrf"))},
         {},
         {2, 3}},
        {"a tunnel that is bound to a card crosses it, encapsulated",
         {card(2, "eth0"), eth1, routed(software(7, "gre1", "gre", 2))},
         {},
         {2}},
        {"a tunnel that is bound to none is itself",
         {card(2, "eth0"), eth1, routed(software(7, "wg0", "wireguard"))},
         {},
         {7}},
        {"what is below stands in another namespace",
         {eth1, routed(software(7, "eth0", "macvlan", 99))},
         {},
         {7}},
        {"what is bound to loopback is itself",
         {lo, eth1, routed(software(7, "x", "vxlan", 1))},
         {},
         {7}},
        {"a driver's device with a virtual function in it sees all frames (Hyper-V)",
         {routed(card(2, "eth0")), card(3, "vf", 2)},
         {},
         {2}},
        {"the same where every physical one is summed",
         {card(2, "eth0"), card(3, "vf", 2), card(4, "eth1")},
         {},
         {2, 4},
         {{3, 2}}},
        {"a card and the VLAN on it, both with a default route: once",
         {routed(card(2, "eth0")), routed(software(7, "v", "vlan", 2))},
         {},
         {2}},
    });
}

TEST(Selection, OfSelectedOnesThatStandOnEachOtherTheLowerStays) {
    expect_selections({
        {"a VLAN and its card",
         {card(2, "eth0"), software(7, "eth0.5", "vlan", 2)},
         {"eth0*"},
         {2},
         {{7, 2}}},
        {"a VLAN alone is what was asked for", {eth0, software(7, "v", "vlan", 2)}, {"v"}, {7}},
        {"two VLANs side by side",
         {eth0, software(7, "v5", "vlan", 2), software(8, "v6", "vlan", 2)},
         {"v*"},
         {7, 8}},
        {"over one that is not selected",
         {card(2, "eth0"), software(7, "bond0", "vlan", 2), software(8, "v", "vlan", 7)},
         {"eth0", "v"},
         {2},
         {{8, 2}}},
        {"everything: the cards, and on which of them each other is counted",
         {lo, card(2, "eth0", 4), card(3, "eth1", 4), software(4, "bond0", "bond"),
          software(5, "bond0.5", "vlan", 4)},
         {"*"},
         {2, 3},
         {{4, 2}, {5, 2}}},
        {"one port of a bond, and the bond",
         {card(2, "eth0", 4), card(3, "eth1", 4), software(4, "bond0", "bond")},
         {"eth1", "bond0"},
         {3},
         {{4, 3}}},
        {"a bridge and its only kind of ports, those of guests",
         {software(4, "br0", "bridge"), software(7, "veth0", "veth", 0, 4),
          software(8, "veth1", "veth", 0, 4)},
         {"*"},
         {7, 8},
         {{4, 7}}},
        {"a guest's port leaves through the bridge's card",
         {card(2, "eth0", 4), software(4, "br0", "bridge"), software(7, "tap0", "tun", 0, 4)},
         {"*"},
         {2},
         {{4, 2}, {7, 2}}},
        {"but alone it is what was asked for",
         {card(2, "eth0", 4), software(4, "br0", "bridge"), software(7, "tap0", "tun", 0, 4)},
         {"tap*"},
         {7}},
        {"the two ends of a pair are two wires' ends, not one above the other",
         {software(7, "veth0", "veth"), software(8, "veth1", "veth")},
         {"veth*"},
         {7, 8}},
    });
}

/// The kernel makes none, but a list can be cut through by a change.
TEST(Selection, CirclesEnd) {
    expect_selections({
        {"on itself", {routed(software(7, "v", "vlan", 7))}, {}, {7}},
        {"each on the other: one of them stays",
         {software(7, "a", "vlan", 8), software(8, "b", "vlan", 7)},
         {"*"},
         {8},
         {{7, 8}}},
        {"a bridge whose port stands on it",
         {routed(software(7, "br0", "bridge")), software(8, "br0.5", "vlan", 7, 7)},
         {},
         {7}},
        {"a bond whose port stands on it",
         {card(2, "eth0", 7), software(7, "bond0", "bond"), routed(software(8, "v", "vlan", 7, 7))},
         {},
         {2}},
        {"its own port", {routed(software(7, "bond0", "bond", 0, 7))}, {}, {7}},
    });
}

}  // namespace
}  // namespace wcs_node_agent
