// SPDX-License-Identifier: Apache-2.0
/// Which interfaces are included by default: those through which the kernel would send a packet for
/// the internet, whatever rules, tables and nexthops lead there.
#include "load/selection.hpp"
#include "network.hpp"

#include <poll.h>

#include <gmock/gmock.h>

namespace wcs_node_agent {
namespace {

using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;

using Names = std::vector<std::string>;

/// wan leads to there, lan and third are bridges; all of them with IPv4 and IPv6, none with a
/// default route.
class RoutedHost : public TwoHosts {
 protected:
    void SetUp() override {
        TwoHosts::SetUp();
        here_.run("sysctl -qw net.ipv6.conf.wan.disable_ipv6=0 net.ipv6.conf.lo.disable_ipv6=0");
        here("address add fd77::1/64 dev wan nodad");
        here("link add lan type bridge");
        here("link add third type bridge");
        here_.run("sysctl -qw net.ipv6.conf.lan.disable_ipv6=0");
        here("address add 10.79.0.1/24 dev lan");
        here("address add fd79::1/64 dev lan nodad");
        here("address add 10.80.0.1/24 dev third");
        for (const auto* name : {"lo", "lan", "third"})
            here(std::string("link set ") + name + " up");
    }

    void here(const std::string& command) { here_.run("ip " + command); }

    Names routed() {
        Names names;
        for (const auto& one : monitor_.list().value())
            if (one.default_route) names.push_back(one.name);
        return names;
    }
    Names selected(const Names& globs = {}) {
        const auto links = monitor_.list().value();
        return names_of(links, select_interfaces(links, globs).selected);
    }
    bool reported() {
        pollfd readable{.fd = monitor_.descriptor(), .events = POLLIN, .revents = 0};
        return ::poll(&readable, 1, 1000) == 1 && monitor_.changed();
    }

    LinkMonitor monitor_{here_.inside([] { return LinkMonitor::open().value(); })};
};

/// A row is what somebody configures with ip, and where packets for the internet then leave.
struct Routing {
    const char* name;
    std::vector<const char*> commands;
    std::vector<const char*> interfaces;
    bool without_compatibility = false;  // net.ipv4.nexthop_compat_mode=0

    friend void PrintTo(const Routing& routing, std::ostream* out) { *out << routing.name; }
};

class Routes : public RoutedHost, public testing::WithParamInterface<Routing> {};

INSTANTIATE_TEST_SUITE_P(
    EachWay, Routes,
    testing::Values(
        Routing{"none", {}, {}}, Routing{"default", {"route add default via 10.77.0.2"}, {"wan"}},
        Routing{"default_ipv6", {"route add default via fd77::2"}, {"wan"}},
        Routing{"each_family_its_own",
                {"route add default via 10.77.0.2", "route add default via fd79::2"},
                {"wan", "lan"}},
        Routing{"the_better_metric",
                {"route add default via 10.77.0.2 metric 600",
                 "route add default via 10.79.0.2 metric 100"},
                {"lan"}},
        Routing{"a_rule_and_its_table",
                {"route add default via 10.77.0.2 table 201", "rule add pref 100 lookup 201"},
                {"wan"}},
        Routing{"a_rule_and_its_table_ipv6",
                {"route add default via fd77::2 table 201", "-6 rule add pref 100 lookup 201"},
                {"wan"}},
        Routing{"a_rule_before_the_main_table",
                {"route add default via 10.79.0.2", "route add default via 10.77.0.2 table 201",
                 "rule add pref 100 lookup 201"},
                {"wan"}},
        Routing{"a_table_without_a_rule", {"route add default via 10.77.0.2 table 201"}, {}},
        Routing{"split_in_halves",
                {"route add 0.0.0.0/1 via 10.77.0.2", "route add 128.0.0.0/1 via 10.77.0.2"},
                {"wan"}},
        Routing{"split_between_two",
                {"route add 0.0.0.0/1 via 10.77.0.2", "route add 128.0.0.0/1 via 10.79.0.2"},
                {"wan", "lan"}},
        Routing{"split_in_halves_ipv6",
                {"route add ::/1 via fd77::2", "route add 8000::/1 via fd79::2"},
                {"wan"}},
        Routing{"halves_before_a_default_route",
                {"route add default via 10.79.0.2", "route add 0.0.0.0/1 via 10.77.0.2",
                 "route add 128.0.0.0/1 via 10.77.0.2"},
                {"wan"}},
        Routing{"many_prefixes_and_no_default_route",
                {"route add 16.0.0.0/4 via 10.77.0.2", "route add 2000::/3 via fd79::2"},
                {"wan", "lan"}},
        Routing{"multipath",
                {"route add default nexthop via 10.77.0.2 nexthop via 10.79.0.2"},
                {"wan", "lan"}},
        Routing{"multipath_ipv6",
                {"route add default nexthop via fd77::2 nexthop via fd79::2"},
                {"wan", "lan"}},
        Routing{"a_nexthop",
                {"nexthop add id 1 via 10.77.0.2 dev wan", "route add default nhid 1"},
                {"wan"}},
        Routing{"a_nexthop_alone",
                {"nexthop add id 1 via 10.77.0.2 dev wan", "route add default nhid 1"},
                {"wan"},
                true},
        Routing{"a_nexthop_alone_ipv6",
                {"nexthop add id 1 via fd77::2 dev wan", "-6 route add default nhid 1"},
                {"wan"},
                true},
        Routing{"a_group_of_nexthops",
                {"nexthop add id 1 via 10.77.0.2 dev wan", "nexthop add id 2 via 10.79.0.2 dev lan",
                 "nexthop add id 3 group 1/2", "route add default nhid 3"},
                {"wan", "lan"},
                true},
        Routing{"a_group_of_nexthops_ipv6",
                {"nexthop add id 1 via fd77::2 dev wan", "nexthop add id 2 via fd79::2 dev lan",
                 "nexthop add id 3 group 1/2", "-6 route add default nhid 3"},
                {"wan", "lan"},
                true},
        Routing{"a_nexthop_that_discards",
                {"nexthop add id 1 blackhole", "route add default nhid 1"},
                {},
                true},
        Routing{
            "refused", {"route add unreachable default", "-6 route add unreachable default"}, {}},
        Routing{"discarded", {"route add blackhole default", "-6 route add blackhole default"}, {}},
        Routing{"to_itself", {"route add local default dev lo"}, {}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_P(Routes, LeadWhereTheKernelWouldSendIt) {
    const auto& row = GetParam();
    if (row.without_compatibility) here_.run("sysctl -qw net.ipv4.nexthop_compat_mode=0");
    for (const auto* command : row.commands) here(command);
    EXPECT_THAT(routed(), UnorderedElementsAreArray(row.interfaces));
}

TEST_F(RoutedHost, ChangesOfRulesAndNexthopsAreReported) {
    here("route add default via 10.77.0.2 table 201");
    here("route add default via fd77::2 table 201");
    for (const auto* change :
         {"rule add pref 100 lookup 201", "-6 rule add pref 100 lookup 201", "rule delete pref 100",
          "-6 rule delete pref 100", "nexthop add id 1 dev wan", "nexthop replace id 1 dev lan"}) {
        SCOPED_TRACE(change);
        monitor_.changed();
        here(change);
        EXPECT_TRUE(reported());
    }
}

/// wan, and a tunnel over it that has the better default route: the tunnel's frames are wan's.
class Tunnels : public RoutedHost {
 protected:
    void tunnel_of(const std::string& arguments) {
        here(arguments);
        here("address add 10.99.0.1/24 dev tunnel");
        here("link set tunnel up");
        here("route add default via 10.77.0.2 metric 100");
        here("route add default via 10.99.0.2 metric 50");
    }
};

TEST_F(Tunnels, AVxlanLeadsToTheRouteOfItsRemote) {
    tunnel_of("link add tunnel type vxlan id 9 dstport 4789 remote 10.79.0.2");
    EXPECT_THAT(routed(), UnorderedElementsAre("tunnel"));
    EXPECT_THAT(selected(), UnorderedElementsAre("lan"));
    EXPECT_THAT(selected({"tunnel", "lan"}), UnorderedElementsAre("lan")) << "named, but once";
    EXPECT_THAT(selected({"tunnel"}), UnorderedElementsAre("tunnel"));
}

TEST_F(Tunnels, AVxlanLeadsToTheRouteOfItsIpv6Remote) {
    tunnel_of("link add tunnel type vxlan id 9 dstport 4789 remote fd79::2");
    EXPECT_THAT(selected(), UnorderedElementsAre("lan"));
}

TEST_F(Tunnels, ATunLeadsToTheOtherDefaultRoute) {
    tunnel_of("tuntap add tunnel mode tun");
    EXPECT_THAT(routed(), UnorderedElementsAre("tunnel"));
    EXPECT_THAT(selected(), UnorderedElementsAre("wan"));
}

TEST_F(Tunnels, ATunWhoseTableComesFirstLeadsToTheDefaultRouteOfAnother) {
    here("tuntap add tunnel mode tun");
    here("address add 10.99.0.1/24 dev tunnel");
    here("link set tunnel up");
    // As wg-quick does: what is not the tunnel's own goes through it.
    here("route add default via 10.77.0.2");
    here("route add default dev tunnel table 51820");
    here("rule add not fwmark 51820 lookup 51820");
    EXPECT_THAT(selected(), UnorderedElementsAre("wan"));
    // Or the tunnel's own packets have a table that nothing else leads to.
    here("route replace default dev tunnel");
    here("rule delete not fwmark 51820 lookup 51820");
    here("route replace default via 10.77.0.2 dev wan table 51820");
    here("rule add fwmark 51820 lookup 51820");
    EXPECT_THAT(selected(), UnorderedElementsAre("wan"));
}

TEST_F(Tunnels, OneThatLeadsNowhereElseIsItself) {
    here("tuntap add tunnel mode tun");
    here("address add 10.99.0.1/24 dev tunnel");
    here("link set tunnel up");
    here("route add default dev tunnel");
    EXPECT_THAT(selected(), UnorderedElementsAre("tunnel"));
}

/// Where the main table has no way, the tables of VRFs are asked.
TEST_F(RoutedHost, NeedsModuleVrf) {
    here("link add red type vrf table 10");
    here("link set red up");
    here("link set wan master red");
    here("link set lan master red");
    here("route add default via 10.77.0.2 vrf red");
    EXPECT_THAT(routed(), UnorderedElementsAre("wan"));
    here("route add default via 10.80.0.2");
    EXPECT_THAT(routed(), UnorderedElementsAre("third")) << "what no VRF is asked for goes before";
}

TEST_F(RoutedHost, NeedsModuleTunnelsOfIp) {
    here("route add default via 10.77.0.2 metric 100");
    for (const auto* arguments :
         {"gre remote 10.79.0.2 local 10.79.0.1", "gretap remote 10.79.0.2 local 10.79.0.1",
          "ipip remote 10.79.0.2 local 10.79.0.1", "sit remote 10.79.0.2 local 10.79.0.1",
          "ip6tnl remote fd79::2 local fd79::1", "ip6gre remote fd79::2 local fd79::1",
          "geneve id 7 remote 10.79.0.2", "geneve id 7 remote fd79::2"}) {
        SCOPED_TRACE(arguments);
        here(std::string("link add tunnel type ") + arguments);
        here("link set tunnel up");
        here("route add default dev tunnel metric 50");
        EXPECT_THAT(selected(), UnorderedElementsAre("lan"));
        here("link delete tunnel");
    }
    here("link add tunnel type wireguard");
    here("link set tunnel up");
    here("route add default dev tunnel metric 50");
    EXPECT_THAT(selected(), UnorderedElementsAre("wan"));
}

TEST_F(RoutedHost, AlternativeNamesMatch) {
    here("link property add dev wan altname public-uplink-0 altname enp1s0");
    EXPECT_THAT(selected({"public-uplink-0"}), UnorderedElementsAre("wan"));
    EXPECT_THAT(selected({"enp*"}), UnorderedElementsAre("wan"));
    EXPECT_THAT(selected({"wan"}), UnorderedElementsAre("wan"));
}

}  // namespace
}  // namespace wcs_node_agent
