// SPDX-License-Identifier: Apache-2.0
/// Filters of clsact beside those of others: agents do not meet, and who takes a filter away is
/// noticed.
#include "killed_process.hpp"
#include "log_capture.hpp"
#include "network.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <sys/socket.h>
#include <sys/un.h>
#include <vector>

#include <gmock/gmock.h>

namespace wcs_node_agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t datagrams_each_way = 100;

class Clsact : public TwoHosts {
 protected:
    void SetUp() override {
        TwoHosts::SetUp();
        sink_here_ = udp_sink(here_, 5000);
        sink_there_ = udp_sink(there_, 5000);
    }

    std::unique_ptr<Watch> start() {
        return std::make_unique<Watch>(here_, EbpfOptions{.hook = HookKind::clsact});
    }

    /// What a watch counts of 100 datagrams each way.
    Frames counted_by(Watch& watch) {
        const auto before = watch.counters("wan").traffic;
        exchange();
        const auto after = watch.counters("wan").traffic;
        return {.packets = after.receive_packets - before.receive_packets,
                .bytes = after.transmit_packets - before.transmit_packets};
    }
    void exchange() {
        send_udp(here_, "10.77.0.2", 5000, datagrams_each_way, 100, 20);
        send_udp(there_, "10.77.0.1", 5000, datagrams_each_way, 100, 20);
    }

    std::string shown(const std::string& direction) {
        return here_.run("tc filter show dev wan " + direction);
    }
    int agents_filters(const std::string& direction) {
        const auto text = shown(direction);
        const std::string name = " name count_";
        int count = 0;
        for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1))
            ++count;
        return count;
    }
    std::string qdiscs() { return here_.run("tc qdisc show dev wan"); }

    Descriptor sink_here_, sink_there_;
};

/// Received and sent.
constexpr Frames all{.packets = datagrams_each_way, .bytes = datagrams_each_way};

TEST_F(Clsact, AgentsSideBySideCountAll) {
    auto first = start();
    auto second = start();
    EXPECT_EQ(counted_by(*first), all);
    EXPECT_EQ(counted_by(*second), all);
    second.reset();
    EXPECT_EQ(counted_by(*first), all) << "as after a check";
    second = start();
    first.reset();
    EXPECT_EQ(counted_by(*second), all) << "though the first has added the qdisc";
    EXPECT_EQ(agents_filters("ingress"), 1);
    second.reset();
    EXPECT_EQ(agents_filters("ingress"), 0);
    EXPECT_EQ(agents_filters("egress"), 0);
    EXPECT_THAT(qdiscs(), HasSubstr("clsact")) << "not known to be ours any more";
}

TEST_F(Clsact, TheLastOfTwoAgentsRemovesTheQdiscThatItAdded) {
    auto first = start();
    start();
    first.reset();
    EXPECT_THAT(qdiscs(), Not(HasSubstr("clsact")));
}

TEST_F(Clsact, WhatAKilledAgentLeftBesideAnotherIsReplaced) {
    auto first = start();
    in_killed_process([&] {
        const auto killed = start();
        kill_this_process();
    });
    EXPECT_EQ(agents_filters("ingress"), 2) << "else this shows nothing";
    auto second = start();
    EXPECT_EQ(agents_filters("ingress"), 2);
    EXPECT_EQ(agents_filters("egress"), 2);
    EXPECT_EQ(counted_by(*first), all);
    EXPECT_EQ(counted_by(*second), all);
}

TEST_F(Clsact, WhatSeveralKilledAgentsLeftIsRemovedByOne) {
    in_killed_process([&] {
        const auto one = start();
        const auto other = start();
        kill_this_process();
    });
    EXPECT_EQ(agents_filters("ingress"), 2) << "else this shows nothing";
    auto watch = start();
    EXPECT_EQ(agents_filters("ingress"), 1);
    EXPECT_EQ(agents_filters("egress"), 1);
    EXPECT_EQ(counted_by(*watch), all);
}

TEST_F(Clsact, AgentsCountThoughSomebodyHoldsAllTheirSockets) {
    std::vector<Descriptor> holders;
    for (int number = 0; number < 16; ++number) {
        const auto name = "wcs-node-agent.hook." + std::to_string(number);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::ranges::copy(name, address.sun_path + 1);
        const auto length =
            static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        holders.push_back(here_.inside([&] {
            Descriptor holder(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
            EXPECT_EQ(::bind(holder.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
            return holder;
        }));
    }
    const LogCapture log;
    auto first = start();
    EXPECT_THAT(log.text(), HasSubstr("@wcs-node-agent.hook.*"));
    auto second = start();
    EXPECT_EQ(counted_by(*first), all);
    EXPECT_EQ(counted_by(*second), all);
    first.reset();
    EXPECT_EQ(counted_by(*second), all);
    second.reset();
    EXPECT_EQ(agents_filters("ingress"), 0);
}

TEST_F(Clsact, AnIngressQdiscOfOthersStaysAndIsTheReason) {
    here_.run("tc qdisc add dev wan handle ffff: ingress");
    here_.run(
        "tc filter add dev wan ingress pref 7 protocol ip u32 match ip dst 10.9.9.9 classid 1:1");
    auto watch = start();
    const auto reading = watch->probe->read().value();
    EXPECT_THAT(reading.interfaces, IsEmpty());
    ASSERT_EQ(reading.not_counted.size(), 1u);
    EXPECT_THAT(reading.not_counted.begin()->second, HasSubstr("tc qdisc del dev"));
    EXPECT_EQ(agents_filters("ingress"), 0);
    EXPECT_THAT(shown("ingress"), HasSubstr("pref 7"));
    EXPECT_FALSE(watch->links.changed()) << "what is tried in vain wakes nobody";

    here_.run("tc qdisc del dev wan ingress");
    EXPECT_TRUE(watch->links.changed());
    watch->refresh();
    EXPECT_EQ(counted_by(*watch), all);
}

TEST_F(Clsact, ARemovedQdiscIsNone) {
    const auto index = start()->counters("wan").index;  // a removed one leaves its queue behind
    const auto control = here_.inside([] { return TrafficControl::open(FilterHandle::claim()); });
    EXPECT_EQ((*control)->ingress_qdisc(index).value(), IngressQdisc::none);
    here_.run("tc qdisc add dev wan clsact");
    EXPECT_EQ((*control)->ingress_qdisc(index).value(), IngressQdisc::clsact);
}

TEST_F(Clsact, AFilterOfAnotherKindKeepsItsPriority) {
    here_.run("tc qdisc add dev wan clsact");
    for (const auto* filter : {"ingress pref 1", "ingress pref 2", "egress pref 65535"})
        here_.run(std::string("tc filter add dev wan ") + filter +
                  " protocol ip u32 match ip dst 10.9.9.9 classid 1:1");
    auto watch = start();
    EXPECT_EQ(counted_by(*watch), all);
    EXPECT_THAT(shown("ingress"), HasSubstr("pref 3 bpf"));
    EXPECT_THAT(shown("egress"), HasSubstr("pref 65534 bpf"));
    watch->refresh();
    EXPECT_EQ(watch->counters("wan").traffic.receive_packets, datagrams_each_way)
        << "found where it was put";
    watch.reset();
    EXPECT_EQ(agents_filters("ingress"), 0);
    EXPECT_EQ(agents_filters("egress"), 0);
    EXPECT_THAT(shown("ingress"), HasSubstr("pref 1 u32"));
    EXPECT_THAT(shown("ingress"), HasSubstr("pref 2 u32"));
    EXPECT_THAT(shown("egress"), HasSubstr("pref 65535 u32"));
}

struct Removal {
    const char* name;
    const char* command;
};

class ClsactRemoved : public Clsact, public testing::WithParamInterface<Removal> {};

INSTANTIATE_TEST_SUITE_P(
    Each, ClsactRemoved,
    testing::Values(
        Removal{"ingress", "tc filter del dev wan ingress"},
        Removal{"egress", "tc filter del dev wan egress pref 65535"},
        Removal{"one_filter", "tc filter del dev wan ingress pref 1 handle 0x77636e61 bpf"},
        Removal{"replaced_qdisc", "tc qdisc del dev wan clsact && tc qdisc add dev wan clsact"},
        Removal{"qdisc", "tc qdisc del dev wan clsact"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_P(ClsactRemoved, IsNoticedAndPutBack) {
    auto watch = start();
    exchange();
    const auto before = watch->counters("wan");
    watch->links.changed();
    here_.run(GetParam().command);
    EXPECT_TRUE(watch->links.changed());
    here_.inside([&] {
        watch->probe->set_links(watch->links.list().value(), {});
        EXPECT_THAT(watch->probe->read()->interfaces, IsEmpty()) << "absent, not 0";
    });
    watch->refresh();
    EXPECT_EQ(watch->counters("wan").traffic.receive_packets, datagrams_each_way)
        << "the totals go on";
    EXPECT_GT(watch->counters("wan").since, before.since) << "with a gap";
    EXPECT_EQ(counted_by(*watch), all);
    EXPECT_FALSE(watch->links.changed()) << "its own filters wake nobody";
    EXPECT_EQ(agents_filters("ingress"), 1);
    EXPECT_EQ(agents_filters("egress"), 1);
}

TEST_F(Clsact, AnotherProgramInPlaceOfOursIsNoticed) {
    auto watch = start();
    watch->links.changed();
    const auto foreign = start();  // whose program is put in place of the first's
    const auto program = foreign->probe->programs().receive.get();
    const auto control = here_.inside([] { return TrafficControl::open(FilterHandle::claim()); });
    const FilterPosition position{.ifindex = watch->counters("wan").index,
                                  .parent = 0xfffffff2,
                                  .priority = 1,
                                  .handle = watch->probe->own_filters()->handle};
    (*control)->remove_filter(position);
    ASSERT_TRUE((*control)->add_filter(position, program, "count_receive"));
    EXPECT_TRUE(watch->links.changed());
    watch->refresh();
    EXPECT_EQ(counted_by(*watch), all);
    EXPECT_EQ(counted_by(*foreign), all);
}

TEST_F(Clsact, WhatOthersChangeElsewhereWakesNobody) {
    auto watch = start();
    watch->links.changed();
    here_.run(
        "tc filter add dev wan ingress pref 5 protocol ip u32 match ip dst 10.9.9.9 classid 1:1");
    here_.run("tc filter del dev wan ingress pref 5 handle 800::800 protocol ip u32");
    here_.run("tc qdisc add dev wan root handle 1: htb");
    here_.run(
        "tc filter add dev wan parent 1: pref 5 protocol ip u32 match ip dst 10.9.9.9 classid 1:1");
    here_.run("tc filter del dev wan parent 1:");
    here_.run("tc qdisc del dev wan root");
    start();
    EXPECT_FALSE(watch->links.changed());
    here_.run("ip link set wan alias uplink");
    EXPECT_TRUE(watch->links.changed()) << "links as before";
    EXPECT_EQ(counted_by(*watch), all);
}

TEST_F(Clsact, WhatIsHalfRefusedWakesNobodyAndLeavesNothing) {
    here_.run("tc qdisc add dev wan egress_block 7 clsact");  // its filters are the block's
    auto watch = start();
    EXPECT_EQ(watch->probe->read()->not_counted.size(), 1u);
    EXPECT_EQ(agents_filters("ingress"), 0);
    EXPECT_FALSE(watch->links.changed());
}

}  // namespace
}  // namespace wcs_node_agent
